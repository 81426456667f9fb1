"""Mints what lines of stdin ask for, with the minter of the directory that is given, and answers each with a line."""

import json
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, sys.argv[1])
import clickproof  # noqa: E402

for line in sys.stdin:
    ask = json.loads(line)
    try:
        minter = clickproof.Minter(ask["keys"], ask["base_url"])
        rest = [ask["url"]] if "url" in ask else []
        answer = {"href": getattr(minter, ask["kind"])(ask["copy"], ask["link_id"], *rest)}
        answer["headers"] = clickproof.unsubscribe_headers(answer["href"])
    except ValueError as error:
        answer = {"error": str(error)}
    print(json.dumps(answer), flush=True)
