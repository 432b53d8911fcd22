// Patterns of names, in which `*` stands for any text.

/** Whether a name is one that a pattern stands for, as a function. */
export function matcher(pattern: string): (name: string) => boolean {
  const escaped = pattern.split("*").map((part) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&"));
  const expression = new RegExp(`^${escaped.join(".*")}$`);
  return (name) => expression.test(name);
}
