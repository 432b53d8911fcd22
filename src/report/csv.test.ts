import { expect, test } from "vitest";
import { bestScoresCsv, scoresCsv, summaryCsv, switchesCsv } from "./csv.ts";
import { epoch, grownRun, history } from "./histories.fixture.ts";

test("scores: one row per epoch, fixed columns first, extra scores in order of appearance", () => {
  const run = history([
    epoch({ epoch: 0, learningRate: 1e-7, trainLoss: Number.NaN, test: 0.5, scores: { top5: 0.7 } }),
    epoch({ epoch: 1, scores: { f1: 0.25, top5: 0.75 }, abandoned: true }),
  ]);
  expect(scoresCsv(run)).toBe(
    "epoch,branch_epoch,cycle,dendrites,parameters,learning_rate,train_loss,validation,running,test," +
      "train_seconds,validation_seconds,abandoned,top5,f1\r\n" +
      "0,0,0,0,1199882,1e-7,NaN,0.9,0.9,0.5,10,1,false,0.7,\r\n" +
      "1,1,0,0,1199882,0.001,0.5,0.9,0.9,,10,1,true,0.75,0.25\r\n",
  );
});

test("names with commas, quotes, line ends or outer blanks are quoted; names of columns are kept apart", () => {
  const scores = { "a,b": 1, 'say "hi"': 2, "two\nlines": 3, " x ": 4, epoch: 5 };
  const header = scoresCsv(history([epoch({ epoch: 0, scores })])).split("abandoned,")[1];
  expect(header).toMatch(/^"a,b","say ""hi""","two\nlines"," x ",score_epoch\r\n/);
});

test("an empty run still has a header", () => {
  expect(scoresCsv(history([]))).toMatch(/^epoch,.*abandoned\r\n$/);
  expect(summaryCsv(history([]))).toMatch(/^dendrites,.*best\r\n$/);
});

test("summary: one row per dendrite count", () => {
  const lines = summaryCsv(grownRun()).trimEnd().split("\r\n");
  expect(lines[0]).toBe("dendrites,parameters,validation,test,epoch,epochs,seconds,kept,best");
  expect(lines).toHaveLength(5);
  expect(lines[3]).toMatch(/^2,3599646,0\.98\d+,0\.98\d+,\d+,17,187,true,true$/);
  expect(lines[4]).toMatch(/,false,false$/);
});

test("dendrite scores have columns of their own, which never move", () => {
  const run = history([
    epoch({ epoch: 0, dendriteScores: { fc1: 0.5 } }),
    epoch({ epoch: 1, dendriteScores: { fc1: 0.6, "a,b": 0.1 }, scores: { f1: 0.7 } }),
  ]);
  const lines = scoresCsv(run).split("\r\n");
  expect(lines[0]).toMatch(/,abandoned,dendrite_score\/fc1,f1,"dendrite_score\/a,b"$/);
  expect(lines[1]).toMatch(/,false,0\.5,,$/);
  expect(lines[2]).toMatch(/,false,0\.6,0\.7,0\.1$/);
});

test("best scores: one row per kept cycle, the first best epoch, its test score", () => {
  const run = history([
    epoch({ epoch: 0, validation: 0.8, test: 0.7 }),
    epoch({ epoch: 1, validation: 0.9, test: 0.6 }),
    epoch({ epoch: 2, validation: 0.9, test: 0.65 }),
    epoch({ epoch: 3, branchEpoch: 2, cycle: 1, dendrites: 1, validation: 0.99, abandoned: true }),
    epoch({ epoch: 4, branchEpoch: 2, cycle: 2, dendrites: 1, validation: 0.95 }),
  ]);
  expect(bestScoresCsv(run)).toBe(
    "cycle,dendrites,parameters,validation,test,epoch,branch_epoch\r\n" +
      "0,0,1199882,0.9,0.6,1,1\r\n" +
      "2,1,2399764,0.95,,4,2\r\n",
  );
  expect(bestScoresCsv({ ...run, maximize: false })).toMatch(/\r\n0,0,1199882,0\.8,0\.7,0,0\r\n/);
});

test("switches: one row per addition, with its reason and what came of it", () => {
  const run = grownRun();
  run.switches[0]!.reason = 'flat, "very"';
  const lines = switchesCsv(run).trimEnd().split("\r\n");
  expect(lines[0]).toBe("epoch,branch_epoch,dendrites,attempt,parameters,kept,reason");
  expect(lines[1]).toBe('13,9,1,1,2399764,true,"flat, ""very"""');
  expect(lines.slice(2).map((line) => line.split(",").slice(0, 6).join())).toEqual([
    "26,18,2,1,3599646,false",
    "31,18,2,2,3599646,true",
    "43,26,3,1,4799528,false",
    "48,26,3,2,4799528,false",
  ]);
  const fresh = history([epoch({ epoch: 0 })], { switches: [{ epoch: 0, dendrites: 1, reason: "now" }] });
  expect(switchesCsv(fresh)).toMatch(/\r\n0,0,1,1,,true,now\r\n$/);
});
