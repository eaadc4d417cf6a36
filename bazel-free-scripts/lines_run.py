"""lines_run.py FILE WRITERS: from gcov's JSON on standard input, prints FILE, the percentage of its
lines that have run, and how many it has, without those of functions whose name has a match of the
regular expression WRITERS."""

import json
import re
import sys

file, writers = sys.argv[1], re.compile(sys.argv[2] or "$^")
runs = {}  # by line: a template or a lambda has several counts for one
for line in sys.stdin:
    for source in json.loads(line)["files"]:
        if not source["file"].endswith("/" + file):
            continue
        left_out = [(function["start_line"], function["end_line"])
                    for function in source["functions"]
                    if writers.search(function["demangled_name"])]
        for each in source["lines"]:
            number = each["line_number"]
            if not any(first <= number <= last for first, last in left_out):
                runs[number] = runs.get(number, 0) + each["count"]
print(file, 100 * sum(count > 0 for count in runs.values()) / len(runs), len(runs))
