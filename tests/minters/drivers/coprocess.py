"""Drives a command as a co-process: each line of stdin is sent when the one before has its answer."""

import subprocess
import sys

command = subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=1, text=True, encoding="utf-8")
for line in sys.stdin:
    command.stdin.write(line)
    sys.stdout.write(command.stdout.readline())
command.stdin.close()
sys.exit(command.wait())
