"""What becomes of source files in a header."""

from __future__ import annotations

from pathlib import Path

import pytest

from discrimen.errors import SettingsError
from discrimen.network.export.cpp.amalgamation import Amalgamation, as_inline, with_macros_of_its_own

AS_IT_IS = [
    "struct A {\n    static int f() { return 1; }\n    int x = 1;\n};\n",
    "class B : public A {\n};\nenum class C { one, two };\n",
    "template <class T>\nT doubled(T x) { return 2 * x; }\n",
    "int declared(int x = f(1));\nusing Number = int;\nextern const int number;\n",
    "typedef float V __attribute__((vector_size(16)));\nstatic_assert(sizeof(V) == 16);\n",
    "namespace a::b {\n// int f() {\n}  // namespace a::b\n",
    "#define F(x) \\\n    int x() { return 1; }\n",
]
CHANGED = {
    "int f() { return '{'; }": "inline int f() { return '{'; }",
    'const char* g() { return "};"; }': 'inline const char* g() { return "};"; }',
    "static inline int f() { return 1; }": "inline int f() { return 1; }",
    "static void f(int x) { if (x) { f(0); } }": "inline void f(int x) { if (x) { f(0); } }",
    "[[noreturn]] void f() { throw 1; }": "[[noreturn]] inline void f() { throw 1; }",
    "template <class T>\nstatic T f(T x) { return x; }": "template <class T>\nT f(T x) { return x; }",
    "template <>\nint f<1>() { return 1; }": "template <>\ninline int f<1>() { return 1; }",
    "A::A(int x) : x_(x), y_{1} { f(); }": "inline A::A(int x) : x_(x), y_{1} { f(); }",
    "A::A() = default;": "inline A::A() = default;",
    "bool operator==(A a, A b) { return a.x == b.x; }": "inline bool operator==(A a, A b) { return a.x == b.x; }",
    "constexpr int one = 1, two = 2;": "inline constexpr int one = 1, two = 2;",
    "static const int list[] = {1, 2};": "inline const int list[] = {1, 2};",
    "namespace {\nint x() { return 1; }\n}": "inline namespace hidden {\ninline int x() { return 1; }\n}",
    'extern "C" {\nint c(void);\n}': 'extern "C++" {\nint c(void);\n}',
}


@pytest.mark.parametrize("text", AS_IT_IS)
def test_declarations_types_and_templates_stay(text: str) -> None:
    assert as_inline(text) == text


@pytest.mark.parametrize("text", CHANGED)
def test_what_is_defined_becomes_inline(text: str) -> None:
    assert as_inline(text) == CHANGED[text]


def test_includes_are_followed_once_and_those_of_the_library_lifted_with_their_condition(tmp_path: Path) -> None:
    files = {
        "src/a.cpp": '#include "part/b.hpp"\n#include "d.h"\n#include <vector>\nint a;\n',
        "src/part/b.hpp": '#pragma once\n#include "../c.h"\n#if defined(X)\n#include <x.h>\n#endif\nint b;\n',
        "src/c.h": "#ifndef C_H\n#define C_H\n#ifdef Y\nint y;\n#endif\nint c;\n#endif\n",
        "include/d.h": '#include "../src/c.h"\n',
        "src/kernels/set.cpp": "int left_out;\n",
        "src/dispatch.cpp": "int left_out;\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    sources = Amalgamation(tmp_path)
    text = sources.take_all()
    assert text == "#ifdef Y\nint y;\n#endif\nint c;\n#if defined(X)\n#endif\nint b;\nint a;\n"
    assert set(sources.system_includes) == {"#include <vector>\n", "#if defined(X)\n#include <x.h>\n#endif\n"}


def test_include_that_is_not_there_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.cpp").write_text('#include "b.hpp"\n')
    with pytest.raises(SettingsError, match=r"a\.cpp: expected the file b\.hpp"):
        Amalgamation(tmp_path).take(tmp_path / "a.cpp")


def test_macros_get_names_of_their_own_and_end_with_the_header() -> None:
    text = with_macros_of_its_own("#define ONE 1\n#  define TWO(x) ONE\nint ONE_MORE = TWO(2);\n", "G")
    assert text == ("#define G_ONE 1\n#  define G_TWO(x) G_ONE\nint ONE_MORE = G_TWO(2);\n#undef G_ONE\n#undef G_TWO\n")
