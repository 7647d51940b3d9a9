"""Make this checkout importable in its environment, and `vendorrisk` a command there, without building a wheel."""

import compileall
import sys
import sysconfig
from pathlib import Path

root = Path(__file__).resolve().parents[1]
Path(sysconfig.get_path("purelib"), "vendorrisk.pth").write_text(f"{root}\n")
command = Path(sysconfig.get_path("scripts"), "vendorrisk")
command.write_text(f"#!{sys.executable}\nfrom vendorrisk.__main__ import main\n\nmain()\n")
command.chmod(0o755)
compileall.compile_dir(root / "vendorrisk", quiet=2)
