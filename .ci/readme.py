"""Run the README's commands word for word: each ```sh block, whose output must equal the ```text block right after it, if there is one."""

import difflib
import re
import subprocess
import sys
from pathlib import Path


def main(readme: str) -> int:
    text = Path(readme).read_text(encoding="utf-8")
    setup = text.partition("<!-- ci: begin -->")[2].partition("<!-- ci: end -->")[0]
    blocks = re.findall(r"```sh\n(.*?)```(?:\s*```text\n(.*?)```)?", setup, re.S)
    if len(blocks) != 2:
        print(f"{readme}: expected two commands between its ci marks, found {len(blocks)}")
        return 1
    for command, expected in blocks:
        print(f"$ {command.strip()}", flush=True)
        if not expected:
            code = subprocess.run(["bash", "-c", command], check=False).returncode
            if code:
                return code
            continue
        ran = subprocess.run(["bash", "-c", command], check=False, stdout=subprocess.PIPE, text=True)
        print(ran.stdout)
        if ran.returncode not in (0, 1):
            return ran.returncode
        if ran.stdout.strip() != expected.strip():
            lines = difflib.unified_diff(expected.strip().splitlines(), ran.stdout.strip().splitlines(), "README", "printed", lineterm="")
            print(*lines, sep="\n")
            print("the README does not show what its first command prints")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
