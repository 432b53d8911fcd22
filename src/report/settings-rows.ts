// Settings as rows: nested plain data, one row a value.

/** A setting by its path, such as `growth.patience`. */
export interface SettingRow {
  path: string;
  value: string;
  /** What it would be by default; only where defaults were given and it is something else. */
  standard?: string;
}

/**
 * One row per value of nested objects, lists of plain values as one value. Undefined values are left out. Whatever
 * isn't plain data is written as `String` does.
 */
export function settingRows(settings: object, defaults: object = {}): SettingRow[] {
  const standards = new Map(flatten(defaults, ""));
  return flatten(settings, "").map(([path, value]) => {
    const standard = standards.get(path);
    return standard === undefined || standard === value ? { path, value } : { path, value, standard };
  });
}

function flatten(value: unknown, path: string): [path: string, text: string][] {
  if (value === undefined) return [];
  if (!isPlain(value) || Object.keys(value).length === 0) return [[path, textOf(value)]];
  return Object.entries(value).flatMap(([name, item]) =>
    flatten(item, path === "" ? name : `${path}.${name}`),
  );
}

function textOf(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(textOf).join(", ")}]`;
  if (!isPlain(value)) return String(value);
  const members = Object.entries(value).map(([name, item]) => `${name}: ${textOf(item)}`);
  return members.length === 0 ? "{}" : `{ ${members.join(", ")} }`;
}

function isPlain(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
