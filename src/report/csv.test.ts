import { expect, test } from "vitest";
import { scoresCsv, summaryCsv } from "./csv.ts";
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
