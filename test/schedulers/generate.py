"""Writes pytorch.json: the learning rates that PyTorch's schedulers give, for src/optim/schedulers.test.ts.

Made with Debian's PyTorch 1.13:

    /usr/bin/python3 test/schedulers/generate.py && npx biome format --write test/schedulers

A case is [name, options, rates] with the names and options that Arborize has, where a scheduler within another is
[name, options] and a function is its Python text. Rates begin with the one before the first of 200 epochs and end with
the one after the last, to ten digits.
"""

import json
import math
import os
import re
import warnings

import torch
from torch.optim import lr_scheduler

EPOCHS = 200
LEARNING_RATE = 0.1
# What a validation score does, and worse: it rises, wobbles, stands still, jumps and falls.
SCORES = [
    round(0.5 + 0.4 * (1 - math.exp(-t / 40)) + 0.05 * math.sin(1.7 * t) * math.exp(-t / 90) - 0.1 * (t % 67 > 60), 4)
    for t in range(EPOCHS)
]

TORCH_NAMES = {"maxLearningRate": "max_lr", "minLearningRate": "min_lr", "tMax": "T_max", "t0": "T_0", "tMult": "T_mult"}
LAMBDAS = {text: eval(text) for text in ["lambda epoch: 0.95 ** epoch", "lambda epoch: 1 / (1 + epoch // 30)"]}

CASES = [
    ("stepLR", {"stepSize": 30}),
    ("stepLR", {"stepSize": 7, "gamma": 0.8}),
    ("multiStepLR", {"milestones": [30, 80, 150]}),
    ("multiStepLR", {"milestones": [120, 1, 40, 40, 41], "gamma": 0.3}),
    ("exponentialLR", {"gamma": 0.97}),
    ("exponentialLR", {"gamma": 1.01}),
    ("lambdaLR", {"lrLambda": "lambda epoch: 0.95 ** epoch"}),
    ("lambdaLR", {"lrLambda": "lambda epoch: 1 / (1 + epoch // 30)"}),
    ("constantLR", {}),
    ("constantLR", {"factor": 0.2, "totalIters": 60}),
    ("linearLR", {}),
    ("linearLR", {"startFactor": 0.01, "endFactor": 0.7, "totalIters": 90}),
    ("linearLR", {"startFactor": 1, "endFactor": 0.05, "totalIters": 150}),
    ("linearLR", {"startFactor": 0.5, "endFactor": 0, "totalIters": 7}),
    ("cosineAnnealingLR", {"tMax": 200}),
    ("cosineAnnealingLR", {"tMax": 30, "etaMin": 0.003}),
    ("cosineAnnealingLR", {"tMax": 17}),
    ("cosineAnnealingLR", {"tMax": 1, "etaMin": 0.01}),
    ("cosineAnnealingWarmRestarts", {"t0": 50}),
    ("cosineAnnealingWarmRestarts", {"t0": 10, "tMult": 2, "etaMin": 0.001}),
    ("cosineAnnealingWarmRestarts", {"t0": 1, "tMult": 3}),
    ("oneCycleLR", {"maxLearningRate": 0.5, "totalSteps": 200}),
    ("oneCycleLR", {"maxLearningRate": 0.5, "epochs": 50, "stepsPerEpoch": 5, "annealStrategy": "linear"}),
    (
        "oneCycleLR",
        {"maxLearningRate": 1, "totalSteps": 201, "pctStart": 0.4, "threePhase": True, "divFactor": 10, "finalDivFactor": 100},
    ),
    (
        "oneCycleLR",
        {"maxLearningRate": 1, "totalSteps": 300, "pctStart": 0.25, "threePhase": True, "annealStrategy": "linear"},
    ),
    ("oneCycleLR", {"maxLearningRate": 0.2, "totalSteps": 220, "pctStart": 0.0}),
    ("reduceLROnPlateau", {}),
    ("reduceLROnPlateau", {"mode": "max", "patience": 4}),
    ("reduceLROnPlateau", {"mode": "max", "factor": 0.5, "patience": 3, "cooldown": 4, "minLearningRate": 0.002}),
    ("reduceLROnPlateau", {"mode": "max", "factor": 0.7, "patience": 2, "threshold": 0.02, "thresholdMode": "abs"}),
    ("reduceLROnPlateau", {"mode": "max", "factor": 0.8, "patience": 5, "threshold": 0.05, "cooldown": 1}),
    ("reduceLROnPlateau", {"factor": 0.6, "patience": 8, "threshold": 0.1, "thresholdMode": "abs", "eps": 0.001}),
    ("reduceLROnPlateau", {"factor": 0.9, "patience": 6, "threshold": 0.01, "cooldown": 3, "minLearningRate": 0.02}),
    (
        "sequentialLR",
        {
            "schedulers": [
                ["linearLR", {"startFactor": 0.1, "totalIters": 20}],
                ["cosineAnnealingLR", {"tMax": 180, "etaMin": 0.001}],
            ],
            "milestones": [20],
        },
    ),
    (
        "sequentialLR",
        {
            "schedulers": [
                ["constantLR", {"factor": 0.25, "totalIters": 10}],
                ["exponentialLR", {"gamma": 0.9}],
                ["cosineAnnealingWarmRestarts", {"t0": 12, "tMult": 2}],
                ["multiStepLR", {"milestones": [5, 25], "gamma": 0.5}],
                ["lambdaLR", {"lrLambda": "lambda epoch: 0.95 ** epoch"}],
                ["stepLR", {"stepSize": 4, "gamma": 0.6}],
                ["linearLR", {"startFactor": 0.4, "endFactor": 0.2, "totalIters": 8}],
            ],
            "milestones": [6, 31, 90, 130, 150, 175],
        },
    ),
    (
        "sequentialLR",
        {"schedulers": [["stepLR", {"stepSize": 3}], ["constantLR", {"factor": 0.5}]], "milestones": [1]},
    ),
]


def torch_name(name):
    return TORCH_NAMES.get(name) or re.sub("([A-Z])", lambda match: "_" + match[1].lower(), name)


def make(optimizer, name, options):
    """The scheduler of PyTorch that is called `name` in Arborize."""
    arguments = {torch_name(key): value for key, value in options.items()}
    if "lr_lambda" in arguments:
        arguments["lr_lambda"] = LAMBDAS[arguments["lr_lambda"]]
    if "schedulers" in arguments:
        arguments["schedulers"] = [make(optimizer, *inner) for inner in arguments["schedulers"]]
    if name == "oneCycleLR":
        arguments["cycle_momentum"] = False
    return getattr(lr_scheduler, name[0].upper() + name[1:])(optimizer, **arguments)


def rates_of(name, options):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=LEARNING_RATE)
    scheduler = make(optimizer, name, options)
    rates = [optimizer.param_groups[0]["lr"]]
    for score in SCORES:
        optimizer.step()
        scheduler.step(*[score] if name == "reduceLROnPlateau" else [])
        rates.append(optimizer.param_groups[0]["lr"])
    return [float(f"{rate:.10g}") for rate in rates]


# SequentialLR calls its schedulers in a way that PyTorch itself warns of.
warnings.filterwarnings("ignore", category=UserWarning, module="torch")
cases = [[name, options, rates_of(name, options)] for name, options in CASES]
for name, _, rates in cases:
    print(f"{name:30} {len(set(rates)):4} rates from {min(rates):.3g} to {max(rates):.3g}")
written = {"pytorch": torch.__version__, "learningRate": LEARNING_RATE, "scores": SCORES, "cases": cases}
with open(os.path.join(os.path.dirname(__file__), "pytorch.json"), "w") as file:
    json.dump(written, file)
