// Which curves the charts have: of one run by numbers of dendrites, of several by run.

const SERIES = 8;
/** The colour of a number of dendrites. */
const dendriteColor = (count) => `--series-${count % SERIES}`;
/** The colour of a run among several: the slate of "no dendrites" comes last. */
export const runColor = (index) => `--series-${(index + 1) % SERIES}`;

const dendritesText = (count) =>
  count === 0 ? "no dendrites" : count === 1 ? "1 dendrite" : `${count} dendrites`;

const TEST = { key: "test", label: "test", color: "--ink", dash: [5, 4] };
const ABANDONED = { key: "abandoned", label: "abandoned", color: "--extra", thin: true };

/**
 * The content of all charts.
 *
 * @param {(object | undefined)[]} views as the server gives them; undefined before they are there
 * @param {number} shown the run that is shown in full
 * @returns `legend`: what can be switched off, by key; `charts`: the content of each
 */
export function curvesOf(views, shown) {
  const view = views[shown];
  return views.length > 1 ? ofSeveral(views, shown) : ofOne(view);
}

function ofOne(view) {
  const { epochs, abandoned, percent, best } = view;
  const x = epochs.epoch;
  const counts = [...new Set(epochs.dendrites)].sort((a, b) => a - b);
  const tested = epochs.test.some((value) => value !== null);
  const breaks = breaksOf(view);
  const legend = [
    ...counts.map((count) => ({
      key: `dendrites ${count}`,
      label: dendritesText(count),
      color: dendriteColor(count),
    })),
    ...(tested ? [TEST] : []),
    ...(abandoned.includes(true) ? [ABANDONED] : []),
  ];
  const byCount = counts.map((count) => ({
    label: `validation, ${dendritesText(count)}`,
    color: dendriteColor(count),
    keys: [`dendrites ${count}`],
    breaks,
    values: epochs.validation.map((value, i) =>
      epochs.dendrites[i] === count && !abandoned[i] ? value : null,
    ),
  }));
  const series = [
    ...(abandoned.includes(true)
      ? [{ ...ABANDONED, label: "abandoned", keys: ["abandoned"], breaks, values: abandonedOf(view, breaks) }]
      : []),
    ...(tested ? [{ ...TEST, keys: ["test"], breaks, values: keptOf(view, "test") }] : []),
    ...byCount,
  ];
  const lines = view.switches.map((each) => ({ ...each, color: dendriteColor(each.dendrites) }));
  const plain = (label, column) => ({
    x,
    lines,
    series: [{ label, color: "--series-1", keys: [], values: epochs[column] }],
  });
  const marks =
    best === null
      ? []
      : [{ x: best, y: epochs.validation[best], color: dendriteColor(epochs.dendrites[best]) }];
  return {
    legend,
    charts: {
      score: { x, series, lines, percent, marks, range: view.range },
      loss: { ...plain("loss", "trainLoss"), log: spansDecades([epochs.trainLoss]) },
      rate: { ...plain("rate", "learningRate"), log: true },
      time: { ...plain("seconds", "seconds"), zero: true },
      dendrite: dendriteChart(view, lines),
    },
  };
}

function ofSeveral(views, shown) {
  const present = views.flatMap((view, index) => (view ? [{ view, index, color: runColor(index) }] : []));
  const x = present.reduce(
    (most, { view }) => (view.epochs.epoch.length > most.length ? view.epochs.epoch : most),
    [],
  );
  const keyOf = (index) => `run ${index}`;
  const tested = present.some(({ view }) => view.epochs.test.some((value) => value !== null));
  const abandons = present.some(({ view }) => view.abandoned.includes(true));
  const legend = [
    ...present.map(({ view, index, color }) => ({ key: keyOf(index), label: view.name, color })),
    ...(tested ? [{ ...TEST, color: "--muted" }] : []),
    ...(abandons ? [ABANDONED] : []),
    { key: "switches", label: "dendrites added", color: "--muted", line: true },
  ];
  const padded = (values) => [...values, ...Array(x.length - values.length).fill(null)];
  const several = (valuesOf, more = {}) =>
    present.map(({ view, index, color }) => ({
      label: view.name,
      color,
      keys: [keyOf(index)],
      values: padded(valuesOf(view)),
      ...more,
    }));
  const score = present.flatMap(({ view, index, color }) => {
    const breaks = breaksOf(view);
    const curve = (label, values, ...keys) => ({
      label: `${view.name}${label}`,
      color,
      breaks,
      keys: [keyOf(index), ...keys],
      values: padded(values),
    });
    const lost = view.abandoned.includes(true);
    const test = view.epochs.test.some((value) => value !== null);
    return [
      ...(lost
        ? [{ ...curve(", abandoned", abandonedOf(view, breaks), "abandoned"), thin: true, pale: true }]
        : []),
      ...(test ? [{ ...curve(", test", keptOf(view, "test"), "test"), thin: true, dash: TEST.dash }] : []),
      { ...curve("", keptOf(view, "validation")), strong: index === shown },
    ];
  });
  const lines = present
    .flatMap(({ view, index, color }) =>
      view.switches.map((each) => ({ ...each, color, keys: [keyOf(index), "switches"] })),
    )
    .sort((a, b) => a.epoch - b.epoch);
  const marks = present.flatMap(({ view, index, color }) =>
    view.best === null
      ? []
      : [{ x: view.best, y: view.epochs.validation[view.best], color, keys: [keyOf(index)] }],
  );
  const ends = present.flatMap(({ view }) => view.range);
  const range = [Math.min(...ends), Math.max(...ends)];
  const percent = present.every(({ view }) => view.percent);
  return {
    legend,
    charts: {
      score: { x, series: score, lines, percent, marks, range },
      loss: {
        x,
        series: several((view) => view.epochs.trainLoss),
        lines,
        log: spansDecades(present.map(({ view }) => view.epochs.trainLoss)),
      },
      rate: { x, series: several((view) => view.epochs.learningRate), lines, log: true },
      time: { x, series: several((view) => view.epochs.seconds), lines, zero: true },
      dendrite: views[shown] ? dendriteChart(views[shown], []) : null,
    },
  };
}

/** Whether losses are better seen on a logarithmic axis. */
function spansDecades(columns) {
  const values = columns.flat().filter((value) => value !== null);
  const [least, most] = values.reduce(
    ([a, b], value) => [Math.min(a, value), Math.max(b, value)],
    [Infinity, 0],
  );
  return least > 0 && most / least >= 30;
}

/** A column without the epochs that a restore left behind. */
function keptOf({ epochs, abandoned }, column) {
  return epochs[column].map((value, i) => (abandoned[i] ? null : value));
}

/** Which epochs the next one does not follow from: dendrites were added, or an earlier state was restored. */
function breaksOf({ epochs: { epoch, branchEpoch }, switches }) {
  const added = new Set(switches.map((each) => each.epoch));
  return epoch.map((each, i) => added.has(each) || branchEpoch[i + 1] !== branchEpoch[i] + 1);
}

/** The scores of epochs that were left behind, each stretch with the epoch that it grew from where that is before it. */
function abandonedOf({ epochs, abandoned }, breaks) {
  return epochs.validation.map((value, i) =>
    abandoned[i] || (abandoned[i + 1] && !breaks[i]) ? value : null,
  );
}

function dendriteChart({ epochs, dendriteScores }, lines) {
  const modules = Object.entries(dendriteScores);
  if (modules.length === 0) return null;
  return {
    x: epochs.epoch,
    lines,
    series: modules.map(([label, values], index) => ({
      label,
      values,
      color: `--series-${(index + 1) % SERIES}`,
      keys: [],
    })),
  };
}
