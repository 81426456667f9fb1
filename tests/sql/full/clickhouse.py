"""ClickHouse in this process: one request a line of JSON on stdin, one answer a line on stdout."""

import json
import sys

from chdb.session import Session

session = Session()
session.query("CREATE DATABASE warehouse")
session.query("USE warehouse")

for line in sys.stdin:
    request = json.loads(line)
    answer = {}
    try:
        for statement in request["run"]:
            session.query(statement)
        if "rows" in request:
            with open(request["file"], "wb") as file:
                file.write(session.query(request["rows"], "JSONEachRow").bytes())
    except Exception as problem:
        answer["problem"] = str(problem)
    print(json.dumps(answer), flush=True)
