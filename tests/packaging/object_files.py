"""Object files of the build tree, by SIMD level, read with binutils.

CMake writes ``objects.txt`` into the build directory: ``<level> <object file>`` a line, where ``baseline`` stands for
everything that is not a level source.
"""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("FASTML_BUILD_DIR", ROOT / "build" / "default"))

# Levels whose machine code every machine that the wheel is for must be able to run.
BASELINE_LEVELS = ("baseline", "scalar", "v2")

# VEX and EVEX encodings, the instructions of AVX and later: all of their mnemonics for vectors start with v (verr and
# verw do not belong to them). Scalar instructions of x86-64-v3 use VEX too, save for lzcnt, tzcnt and movbe.
_AVX_MNEMONIC = re.compile(r"^v(?!er[rw]\b)[a-z]")
_V3_SCALAR = {"andn", "bextr", "blsi", "blsmsk", "blsr", "bzhi", "lzcnt", "movbe", "mulx", "pdep", "pext"}
_V3_SCALAR |= {"rorx", "sarx", "shlx", "shrx"}
# AVX-512: 512-bit or upper registers, masks, broadcast from memory, rounding control.
_AVX512_OPERAND = re.compile(r"%zmm|%[xy]mm(1[6-9]|2\d|3[01])|%k[0-7]|\{1to\d+\}|\{r[nduz]-sae\}|\{sae\}")


@dataclass(frozen=True)
class Instruction:
    """One disassembled instruction and the function it belongs to, mangled."""

    function: str
    mnemonic: str
    operands: str

    @property
    def beyond_v2(self) -> bool:
        """Whether a machine that ends at x86-64-v2 would take it for an illegal instruction or another one."""
        return bool(_AVX_MNEMONIC.match(self.mnemonic)) or self.mnemonic.rstrip("lqw") in _V3_SCALAR

    @property
    def beyond_v3(self) -> bool:
        """Whether it is encoded as AVX-512."""
        return bool(_AVX512_OPERAND.search(self.operands))


@dataclass(frozen=True)
class Symbol:
    """One symbol that an object file defines or refers to: nm's letter and the mangled name."""

    kind: str
    name: str


def missing_prerequisite() -> str | None:
    """Say why object files cannot be read here, or None when they can."""
    for tool in ("objdump", "nm"):
        if shutil.which(tool) is None:
            return f"{tool} is not installed (binutils)"
    if not (BUILD / "objects.txt").exists():
        return f"no build tree at {BUILD}: run `make build`, or point FASTML_BUILD_DIR at one"
    if "v3" not in objects():
        return "the build has no x86-64 levels"
    return None


@cache
def objects() -> dict[str, list[Path]]:
    """Return the object files of each level."""
    found: dict[str, list[Path]] = {}
    for line in (BUILD / "objects.txt").read_text(encoding="utf-8").splitlines():
        level, path = line.split(" ", 1)
        found.setdefault(level, []).append(Path(path))
    return found


def extension_modules() -> list[Path]:
    """Return the linked extension modules of the build tree, which still have their symbols."""
    return sorted(BUILD.rglob("*.cpython-*.so"))


def instructions(path: Path) -> list[Instruction]:
    """Disassemble the code of an object file or a shared library."""
    command = ["objdump", "--disassemble", "--no-show-raw-insn", "--wide", str(path)]
    listing = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found = []
    function = ""
    for line in listing.splitlines():
        if line.endswith(">:"):
            function = line[line.index("<") + 1 : -2]
        elif "\t" in line:
            mnemonic, _, operands = line.split("\t")[1].strip().partition(" ")
            found.append(Instruction(function, mnemonic, operands.strip()))
    return found


def symbols(path: Path) -> list[Symbol]:
    """List the symbols of an object file."""
    listing = subprocess.run(["nm", str(path)], capture_output=True, text=True, check=True).stdout
    return [Symbol(*line.split()[-2:]) for line in listing.splitlines() if len(line.split()) >= 2]


def belongs_to_level(name: str, level: str) -> bool:
    """Whether a mangled name is of namespace ``fastml::<level>``, or generated for something that is.

    Itanium mangling: _ZN <qualified name> E, after the marks of virtual tables, guards and function-local names.
    """
    return re.match(rf"_Z(T[VTIS]|GV|GR|Z)*N[KVRO]*6fastml{len(level)}{level}(?![a-z_])", name) is not None
