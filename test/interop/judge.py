"""One engine, asked by the tests: a JSON request in each line of standard input, its answer in a line of
standard output. `judge.py MODULE` serves the functions that MODULE lists in COMMANDS.

An answer is {"value": ...}, or {"error": {"type": ..., "message": ...}} when the engine refused or failed.
"""

import importlib
import json
import os
import sys
import traceback


def serve(commands, answers):
    for line in sys.stdin:
        request = json.loads(line)
        try:
            value = commands[request["command"]](**request["arguments"])
            # JSON has no NaN.
            answer = json.dumps({"value": value}, allow_nan=False)
        except Exception as error:
            answer = json.dumps({"error": {"type": type(error).__name__, "message": str(error)}})
            traceback.print_exc()
        answers.write(answer + "\n")
        answers.flush()


if __name__ == "__main__":
    # Engines print, and what they start does; only answers may reach the pipe that the tests read.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    serve(importlib.import_module(sys.argv[1]).COMMANDS, answers)
