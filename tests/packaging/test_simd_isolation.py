"""A wheel built on any machine runs on the oldest one it is for: no level's instructions leak out of its namespace.

Two traps: a baseline source compiled with a level's flags, and an inline function or template (an STL one, say) that
a level source and a baseline source both instantiate. Of the latter the linker keeps one copy, maybe the AVX one, and
the older machine dies of SIGILL far from the cause.
"""

import object_files
import pytest
from object_files import BASELINE_LEVELS, belongs_to_level, extension_modules, instructions, objects, symbols

pytestmark = pytest.mark.skipif(
    object_files.missing_prerequisite() is not None, reason=str(object_files.missing_prerequisite())
)

# nm's letters for symbols of which the linker keeps one copy among all objects: weak functions, weak data, unique.
MERGED_BY_THE_LINKER = "WVu"
# Merged, but the same bytes at every level: the pointer to the routine that unwinds exceptions, and clang's call of
# std::terminate.
SAME_AT_EVERY_LEVEL = ("DW.ref.__gxx_personality_v0", "__clang_call_terminate")

LEVELS = ["scalar", "v2", "v3", "v4"]


@pytest.mark.parametrize("level", BASELINE_LEVELS)
def test_baseline_objects_hold_no_avx(level):
    assert objects()[level]
    for path in objects()[level]:
        leaked = {(i.function, i.mnemonic) for i in instructions(path) if i.beyond_v2}
        assert not leaked, f"{path} holds instructions beyond x86-64-v2"


def test_v3_objects_hold_no_avx512():
    assert objects()["v3"]
    for path in objects()["v3"]:
        leaked = {(i.function, i.mnemonic) for i in instructions(path) if i.beyond_v3}
        assert not leaked, f"{path} holds AVX-512 instructions"


def test_the_disassembly_sees_what_it_looks_for():
    # Guards the tests above: were objdump's output read wrongly, they would pass on anything.
    v3 = [i for path in objects()["v3"] for i in instructions(path)]
    v4 = [i for path in objects()["v4"] for i in instructions(path)]
    assert any(i.beyond_v2 and "%ymm" in i.operands for i in v3)
    assert any(i.beyond_v3 and "%zmm" in i.operands for i in v4)
    assert all(i.function for i in v3)


@pytest.mark.parametrize("level", LEVELS)
def test_level_objects_share_no_mergeable_symbol(level):
    for path in objects()[level]:
        shared = {
            s.name
            for s in symbols(path)
            if s.kind in MERGED_BY_THE_LINKER
            and not belongs_to_level(s.name, level)
            and s.name not in SAME_AT_EVERY_LEVEL
        }
        assert not shared, (
            f"{path} holds inline functions or templates outside namespace fastml::{level}; "
            "move them into the namespace, or their callers into a plain source"
        )


@pytest.mark.parametrize("level", LEVELS)
def test_level_objects_define_symbols_of_their_namespace_only(level):
    for path in objects()[level]:
        stray = {s.name for s in symbols(path) if s.kind in "TDBRC" and not belongs_to_level(s.name, level)}
        assert not stray, f"{path} defines symbols outside namespace fastml::{level}"


def test_linked_modules_hold_avx_in_the_level_namespaces_only():
    modules = extension_modules()
    assert modules, f"no extension module in {object_files.BUILD}"
    for path in modules:
        for instruction in instructions(path):
            if instruction.beyond_v3:
                allowed = ("v4",)
            elif instruction.beyond_v2:
                allowed = ("v3", "v4")
            else:
                continue
            assert any(belongs_to_level(instruction.function, level) for level in allowed), (
                f"{path.name}: {instruction.function} holds {instruction.mnemonic} {instruction.operands}"
            )
