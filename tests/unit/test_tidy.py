"""What a frame is called, in every style, and what kind of code it is."""

from __future__ import annotations

import re
import time

import pytest

from flameparse.errors import UsageError
from flameparse.frames.kind import kind_of_module
from flameparse.frames.tidy import FrameNamer

USER, KERNEL, JIT, INLINED = range(4)
HASH = b"::h0123456789abcdef"


def names(style: str, symbol: bytes, module: bytes | None = b"/usr/bin/app", **options: object) -> list[bytes]:
    """The printed frames; options of the constructor and of the call together."""
    switches = {key: options.pop(key) for key in ("addrs", "annotate_kernel", "annotate_jit") if key in options}
    parts = FrameNamer(style, **switches).name_parts(symbol, module, **options)  # type: ignore[arg-type]
    return [name for name, _ in parts]


def tidy(symbol: str, **options: object) -> list[str]:
    return [name.decode() for name in names("tidy", symbol.encode(), **options)]


# What is between the guillemets is what goes; a name without them stays whole.
MARKED_NAMES = """
main
__libc_start_call_main
_ZN4core3fmt5WriteE
_start
operator
operators«(int)»
operator_new
entry_SYSCALL_64_after_hwframe
finish_task_switch.isra.0
StubRoutines (1)
StubRoutines (initialstubs)
Interpreter
vtable chunks
I2C/C2I adapters«(0xba)»
DeoptimizationBlob
f«(int)»
f«(int) const»
f«() volatile»
f«() const volatile»
f«() &»
f«() const &&»
f«(int)» [clone .cold]
f«(int) const» [clone .isra.0] [clone .cold]
f«(int)» [clone .constprop.0]
f«(int)» (.cold)
f«(int)» (.isra.0) (.part.1)
f«(int)»@plt
f«(int)»@@GLIBCXX_3.4.21
f (.cold)
f [clone .cold]
f const
f«(...)»
f«(char, std::vector<std::pair<int, char>, std::allocator<std::pair<int, char> > >)»
std::vector<int, A >::push_back«(int&&)»
std::vector<std::function<void (int)>, std::allocator<std::function<void (int)> > >::~vector«()»
std::function<void (int)>::operator()«(int) const»
std::function<int (int)>::function«()»
std::_Function_handler<void (int), main::{lambda(int)#1}>::_M_invoke«(std::_Any_data const&, int&&)»
std::__invoke_result<void (*)(int)>::type std::__invoke<void (*)(int)>«(void (*&&)(int))»
std::__cxx11::basic_string<char>::append[abi:cxx11]«(char const*)»
std::ostream::flush«()»@plt
std::basic_ostream<char, std::char_traits<char> >& std::operator<< <std::char_traits<char> >«(std::basic_ostream<char, std::char_traits<char> >&, char const*)»
std::ostream& operator<<«(std::ostream&, Foo const&)»
operator<<«(std::ostream&, int)»
operator>>«(std::istream&, int&)»
operator>«(A const&, A const&)»
operator<«(A const&, A const&)»
operator->
operator->«() const»
operator()
operator()«()»
operator bool
A::operator->«() const»
A::operator->*«(int)»
A::operator<=>«(A const&) const»
A::operator<<=«(int)»
A::operator>>=«(int)»
A::operator<=«(int)»
A::operator>=«(int)»
A::operator<«(A const&) const volatile»
A::operator>«(A const&) const»
A::operator==«(A const&) const»
A::operator!=«(A const&) const»
A::operator!«()»
A::operator~«()»
A::operator,«(int)»
A::operator--«(int)»
A::operator-«(A const&)»
A::operator*«() const»
A::operator&&«(bool)»
A::operator|«(int)»
A::operator[]«(unsigned long) &&»
A::operator=«(A&&)»
A::operator new«(unsigned long)»
A::operator new[]«(unsigned long)»
A::operator delete«(void*)»
A::operator delete[]«(void*, unsigned long)»
A::operator bool«() const»
A::operator int*«()»
A::operator int const&«()»
A::operator int A::*«()»
A::operator int (A::*)(char) const«()»
A::operator void (*)(int)«()»
A::operator void (*)(int)
A::operator void (*)(char)«() const»
A::operator void (*(*)(int))(char)«()»
A::operator decltype(nullptr)«()»
A::operator std::nullptr_t«()»
A::operator std::function<int (int)><int>«()»
A::operator std::vector<int, std::allocator<int> >«() const»
bool A::operator< <int>«(int*)»
bool A::operator<<int>«(int*)»
bool A::operator><int>«(int*)»
bool A::operator<=<int>«(int*)»
bool A::operator>=<int>«(int*)»
A& A::operator<< <int>«(int*)»
A& A::operator<<<int>«(int*)»
A& A::operator>><int>«(int*)»
A& A::operator-<int>«(int*)»
A& A::operator->*<int>«(int*)»
A& A::operator<<(anonymous namespace)::B>«((anonymous namespace)::B*)»
int A::operator()<int>«(int*) const &»
int A::operator()<(anonymous namespace)::B>«((anonymous namespace)::B*) const»
operator"" _km«(long double)»
foo<(some_enum)0>::bar
foo<(some_enum)0>::bar«(int)»
S<(E)0, -1>::run«(int)»
S<(char)40, (char)41>::run«()»
(anonymous namespace)
(anonymous namespace)::f
(anonymous namespace)::f«(int)»
(anonymous namespace)::B::f«(int)»
void (anonymous namespace)::g<int>«(int)»
ns::(anonymous namespace)::Foo<(anonymous namespace)::Bar>::~Foo«()»
ns::(anonymous namespace)
decltype(auto) f«(int)»
decltype(auto) da<int>«(int)»
decltype ({parm#1}+{parm#1}) add<int>«(int)»
decltype ({parm#1}<{parm#1}) lt<int>«(int)»
decltype ({parm#1}->x) arrow<A*>«(A*)»
decltype((fp) < (fp)) lt<int>«(int)»
decltype(fp->x) arrow<A*>«(A*)»
std::enable_if<(sizeof (int))<(8), int>::type small<int>«(int)»
std::enable_if<(sizeof (int)) < (8), int>::type small<int>«(int)»
std::enable_if<(sizeof (int))<=(8), int>::type small<int>«(int)»
std::enable_if<(sizeof (int)) <= (8), int>::type small<int>«(int)»
std::enable_if<((sizeof (int))>(2)), int>::type big<int>«(int)»
std::enable_if<((1)<<(2))==(4), int>::type sh<1>«(int)»
std::enable_if<((1) << (2)) == (4), int>::type sh<1>«(int)»
void call<&A::operator-> >«(int)»
void call<&(A::operator->())>«(int)»
void call<&(anonymous namespace)::h>«(int)»
void call<&((anonymous namespace)::h(int))>«(int)»
{lambda()#1}::operator()«() const»
{lambda(int)#1}::operator()«(int) const»
{lambda(int)#1}
f(int)::{lambda()#1}::operator()«() const»
f(int)::{lambda()#1}::_FUN«()»
f(int)::{lambda()#1}::{lambda()#1}«({lambda()#1} const&)»
f(int)::{lambda(char)#1}
f(int)::L::s«(char)»
f(int)::x
f(int) const::{lambda(int)#1}::operator()(int) const::{lambda(char)#1}::operator()«(char) const»
auto f(int)::{lambda(auto:1)#2}::operator()<int>«(int) const»
int app<f(int)::{lambda(int)#1}>«(f(int)::{lambda(int)#1})»
f(int)::$_0::operator()«(int) const»
f(int)::$_0::operator()(int) const::'lambda'(char)::operator()«(char) const»
f(int)::'lambda'(int)::operator()«(int) const»
f(int)::'lambda'(int)
f(int)::'lambda0'(auto)::operator()<int>«(auto) const»
auto f(int)::$_1::operator()<int>«(int) const»
invocation function for block in f«(int)»
non-virtual thunk to A::f«(int)»
virtual thunk to std::basic_iostream<char, std::char_traits<char> >::~basic_iostream«()»
guard variable for f(int)::x
typeinfo for std::__1::__function::__base<void ()>
vtable for std::_Sp_counted_ptr<int*, (__gnu_cxx::_Lock_policy)2>
void (*fp<int>«(int)»)(char)
void (*fp<int>)(char)
void (*signal«(int, void (*)(int))»)(int)
void (*(*ff<int>«(int)»)(long))(char)
void (* (*ff<int>«(int)»)(long))(char)
int (&ar<int>«(int)») [3]
int (&ar<int>«(int)»)[3]
int (A::*A::getmp<int>«(int) const»)(char) const
int f«(int (*)(char), int (&) [3], int A::*)»
void f<int, void (*)(int)>«(void (*)(int))»
foo<bar(int)
std::vector<std::function<void (int)
f(int
f(int))
foo)(int)
f(int)(char)
f(int) const(char)
A>B(int)
{lambda(int)
foo::{lambda(int)
foo[bar(int)
(
)
()
<
>
->
a->b
a->b->c«(int)»
net/http.(*Client).Do
net/http.(*Client).Do-fm
net/http.(*conn).serve.func1
main.(*T).m-fm
main.(*T)
main.F[go.shape.int]
main.F[go.shape.func(int)]
main.(*T[go.shape.int]).M
main.Map[go.shape.[]uint8,go.shape.func(int) string]
main.main.func1.2
type:.eq.struct { F uintptr; X0 *main.T }
go.(*struct { sync.Mutex; f func(int) }).Lock
runtime.gcDrain
cmd/go/internal/load.(*Package).load
gopkg.in/yaml%2ev3.(*Node).Decode
core::fmt::Formatter::pad
core::fmt::Formatter::pad«::h0123456789abcdef»
<T as core::X>::f«::h0123456789abcdef»
<&T as core::fmt::Debug>::fmt«::h0123456789abcdef»
<() as r::Tr>::go«::h0123456789abcdef»
<[u8; 3] as r::Tr>::go«::h0123456789abcdef»
<(i32,fn(u8) .> u8) as r::Tr>::go«::h0123456789abcdef»
core::ptr::drop_in_place<dyn core::ops::function::Fn(i32) -> i32>«::h0123456789abcdef»
core::ops::function::FnOnce::call_once{{vtable.shim}}«::h0123456789abcdef»
a::f«::h0123456789abcdef»@plt.x
a::f«::h0123456789abcdef» [clone .cold]
a::f«::h0123456789abcdef» (.cold)
a::f«::h0123456789abcdef».cold
a::f«::h0123456789abcdef.llvm.12345678901234567890»
a::f«::h0123456789abcdef.llvm.1» [clone .cold]
a::f«(int)» [clone .llvm.12345678901234567890]
a::h0123456789abcde
a::h0123456789abcdefa
a::h0123456789ABCDEF
a::f::h0123456789abcdef::g
::h0123456789abcdef
<alloc::vec::Vec<u8> as core::ops::drop::Drop>::drop
<alloc::boxed::Box<dyn core::ops::function::FnOnce() -> i32> as core::ops::function::FnOnce<()>>::call_once
<fn(u32) -> u32 as core::ops::function::Fn<(u32,)>>::call
std::rt::lang_start::<()>::{closure#0}
rustc_arena[b8ac1690d5bee4f7]::outline::<<rustc_arena[b8ac1690d5bee4f7]::DroplessArena>::alloc_from_iter<[u8; 0: usize]>::{closure#0}, &mut [u8]>
void java.lang.Object.<init>«()»
java.lang.String java.lang.String.concat«(java.lang.String)»
int J.lambda$main$0«(int)»
byte[] java.lang.StringConcatHelper.newArrayWithSuffix«(java.lang.String, int, byte)»
org.acme.Job$1::run
org.acme.Job$1::run«(int)»
instance void [App] App.Program::Main«(class [System.Runtime]System.String[])»[OptimizedTier1]
int32 [App] App.Program::<Main>g__Fib|0_0«(int32)»[Tier0]
instance int32 [App] App.Box`1[System.__Canon]::get_Item«(int32)»[PreJIT]
-[NSObject performSelector:withObject:]
camlStdlib__List__map_123
py::main:/app/x(1).py
py::<module>:/app/main (copy).py
py::<lambda>:<string>(1)
py::C.method:<frozen importlib._bootstrap>
py::module_::def<int>«(int)»
TRACE_12::app(1).lua:34
JS:*(anonymous) app/x.js:3:4
JS:*fib /app/cpu.js:4:14
JS:* /app/cpu.js:9:64
JS:+'fib /app/cpu (1).js:4:14
JS:o*sortLoop /app/cpu.js:4:14
JS:~get gg file:///app/a%20b.mjs:2:24
JS:^f(x) /app/(old)
JS:wasm-function[0]-0-turbofan
LazyCompile:*f /app/(x)
LazyCompile:
InterpretedFunction:main /app/(cpu).js:17
Function:^main (x)
Function:WASM_function#0:module: (wasm):0
Script:~/app/(x).js
Eval:~ /app/cpu.js:1:1
Builtin:Foo(x)
BytecodeHandler:Wide
Stub:CEntry(1)
Handler:LoadIC(x)
KeyedLoadIC:A keyed load (x)
RegExp:(\\w+)@(x)
RegExp:^(\\w+)-(\\d+)@((?:[a-z]+\\.)+[a-z]{2,})$
RegExp:[&<>"']
RegExp.> src: '(a|b)+c*$' flags: ''
RegExp.< src: '(a|b)' flags: 'g(x)'
v8::internal::Builtin_HandleApiCall«(int, unsigned long*, v8::internal::Isolate*)»
Script::compile«(int)»
é::f«(ü)»
""".strip().splitlines()  # noqa: E501


@pytest.mark.parametrize("marked", MARKED_NAMES)
def test_tidy_removes_the_arguments_and_the_hash(marked: str) -> None:
    closed = "»" in marked
    symbol = marked.replace("«", "").replace("»", "") if closed else marked
    assert tidy(symbol) == [re.sub("«.*?»", "", marked) if closed else marked]


def test_the_list_of_names_is_long() -> None:
    assert len(MARKED_NAMES) == len(set(MARKED_NAMES)) > 200


REWRITTEN = {
    "_$LT$T$u20$as$u20$X$GT$::f::h0123456789abcdef": "<T as X>::f",
    "$LT$T$GT$::f::h0123456789abcdef": "<T>::f",
    "r::main::_$u7b$$u7b$closure$u7d$$u7d$::h0123456789abcdef": "r::main::{{closure}}",
    "core::hash::_$LT$impl$u20$core..hash..Hash$u20$for$u20$$RF$T$GT$::hash::h0123456789abcdef": (
        "core::hash::<impl core::hash::Hash for &T>::hash"
    ),
    "std::thread::local::LocalKey$LT$T$GT$::try_with::h0123456789abcdef": "std::thread::local::LocalKey<T>::try_with",
    "a$SP$b$BP$c$C$d$LP$$RP$$LT$e$GT$::h0123456789abcdef": "a@b*c,d()<e>",
    "_$LT$$u5b$T$u3b$$u20$3$u5d$$GT$::f::h0123456789abcdef": "<[T; 3]>::f",
    "a::$u1f980$$RF$::h0123456789abcdef": "a::🦀&",
    "a::$u7f$$ud800$$u110000$$u07b$$u$$uzz$$X$$RF$::h0123456789abcdef": "a::$u7f$$ud800$$u110000$$u07b$$u$$uzz$$X$&",
    "a::$u4f$$RF::h0123456789abcdef": "a::O$RF",
    "_$LT$T$GT$::f": "_$LT$T$GT$::f",
    "a..b::h0123456789abcdef": "a..b",
    "a::h0123456789abcdef::h0123456789abcdef": "a::h0123456789abcdef::h0123456789abcdef",
    "f(int)::h0123456789abcdef": "f(int)::h0123456789abcdef",
    "Lorg/a/B;::m": "org/a/B::m",
    "Lorg/a/B;::<init>": "org/a/B::<init>",
    "LCounter;::countTo": "Counter::countTo",
    "Lsun/nio/cs/UTF_8$Encoder;::encodeLoop": "sun/nio/cs/UTF_8$Encoder::encodeLoop",
    "Lorg/a/B;::m(Ljava/lang/String;[I)V": "org/a/B::m",
    "Lorg/a/B$$Lambda$14/0x0000000800c03000;::get": "org/a/B$$Lambda$14/0x0000000800c03000::get",
    "L;::m": "L;::m",
    "La/B;:m": "La/B;:m",
    "La/B;::": "La/B;::",
    "La B;::m": "La B;::m",
    "LLa;::b;::c": "La::b;::c",
}


@pytest.mark.parametrize(("symbol", "expected"), REWRITTEN.items())
def test_tidy_rewrites_rust_escapes_and_java_types(symbol: str, expected: str) -> None:
    assert tidy(symbol) == [expected]


JAVA_INLINED = {
    "La/B;::x->Lc/D;::y": ["a/B::x", "c/D::y"],
    "La/B;::<init>->Lc/D;::y->Lc/D;::z": ["a/B::<init>", "c/D::y", "c/D::z"],
    "La/B;::x(I)V->Lc/D;::y(I)V": ["a/B::x", "c/D::y"],
}


@pytest.mark.parametrize("kind", [USER, JIT])
@pytest.mark.parametrize(("symbol", "expected"), JAVA_INLINED.items())
def test_tidy_splits_inlined_java_methods_in_any_module(symbol: str, expected: list[str], kind: int) -> None:
    parts = FrameNamer("tidy").name_parts(symbol.encode(), b"/tmp/perf-1.map", kind=kind)
    assert parts == [(name.encode(), INLINED if i else kind) for i, name in enumerate(expected)]


ARROWS_IN_JIT_CODE = {
    "Foo::a->Bar::b": ["Foo::a", "Bar::b"],
    "A::operator->() const": ["A::operator->"],
    "A::operator->*(int)": ["A::operator->*"],
    "call(decltype(a->b))": ["call"],
    "f(a->b)->g(c)": ["f", "g"],
    "f() -> int": ["f() -> int"],
    "a->": ["a->"],
    "->a": ["->a"],
    "a->->b": ["a->", "b"],
    "JS:*a->b /x.js:1:2": ["JS:*a->b /x.js:1:2"],
    "RegExp:a->b": ["RegExp:a->b"],
    "f(a->b": ["f(a->b"],
}


@pytest.mark.parametrize(("symbol", "expected"), ARROWS_IN_JIT_CODE.items())
def test_tidy_splits_at_arrows_between_methods_of_a_jit(symbol: str, expected: list[str]) -> None:
    assert tidy(symbol, kind=JIT) == expected


@pytest.mark.parametrize("symbol", ["Foo::a->Bar::b", "La/B;::x->b", "a->Lc/D;::y"])
def test_tidy_splits_nothing_else_outside_a_jit(symbol: str) -> None:
    assert len(tidy(symbol, kind=USER)) == 1


# Symbol, module, root is java: what stackcollapse-perf, inferno and tidy print.
RIVALS = [
    ("std::vector<int, A >::push_back(int&&)", False, ["std::vector<int, A >::push_back"], None, None),
    (
        "std::function<void (int)>::operator()(int) const", False, ["std::function<void "],
        ["std::function<void (int)>::operator"], ["std::function<void (int)>::operator()"],
    ),
    ("foo<(some_enum)0>::bar", False, ["foo<"], ["foo<(some_enum)0>::bar"], ["foo<(some_enum)0>::bar"]),
    (
        "{lambda()#1}::operator()() const", False, ["{lambda"], ["{lambda()#1}::operator"],
        ["{lambda()#1}::operator()"],
    ),
    (
        "operator<<(std::ostream&, int)", False, ["operator<<"], ["operator<<(std::ostream&, int)"], ["operator<<"],
    ),
    ("A>B(int)", False, ["A>B"], ["A>B(int)"], ["A>B(int)"]),
    ("operator>(A, B)", False, ["operator>"], ["operator>(A, B)"], ["operator>"]),
    ("operator->() const", False, ["operator", "_[i]"], ["operator", "_[i]"], ["operator->"]),
    ("A::operator->", False, ["A::operator"], ["A::operator", "_[i]"], ["A::operator->"]),
    ("(anonymous namespace)::f(int)", False, [], [], ["(anonymous namespace)::f"]),
    ("void (anonymous namespace)::g<int>(int)", False, ["void (anonymous namespace)::g<int>"], None, None),
    ("decltype(auto) f(int)", False, ["decltype"], ["decltype"], ["decltype(auto) f"]),
    ("net/http.(*Client).Do", False, ["net/http.(*Client).Do"], None, None),
    ("f [clone .cold]", False, ["f [clone .cold]"], None, None),
    ("<T as core::X>::f", False, ["<T as core::X>::f"], None, None),
    (
        "_$LT$T$u20$as$u20$X$GT$::f::h0123456789abcdef", False, ["_$LT$T$u20$as$u20$X$GT$::f::h0123456789abcdef"],
        ["<T as X>::f"], ["<T as X>::f"],
    ),
    ("JS:*(anonymous) app/x.js:3:4", False, ["JS:*"], ["JS:*"], ["JS:*(anonymous) app/x.js:3:4"]),
    ("RegExp:(\\w+)@..", False, ["RegExp:"], ["RegExp:"], ["RegExp:(\\w+)@.."]),
    ("RegExp:[&<>\"']", False, ["RegExp:[&<>]"], ["RegExp:[&<>\"']"], ["RegExp:[&<>\"']"]),
    ("Lorg/a/B;::m", True, ["org/a/B:::m"], ["org/a/B:::m"], ["org/a/B::m"]),
    ("Lorg/a/B;::m", False, ["Lorg/a/B:::m"], ["Lorg/a/B:::m"], ["org/a/B::m"]),
    ("La/B;::x->Lc/D;::y", True, ["a/B:::x", "c/D:::y_[i]"], ["a/B:::x", "c/D:::y_[i]"], ["a/B::x", "c/D::y"]),
    ("LCounter;::m", True, ["LCounter:::m"], ["LCounter:::m"], ["Counter::m"]),
    ("a->b_[i]->c", False, ["a", "b_[i]", "c_[i]"], ["a", "b_[i]", "c_[i]"], ["a->b_[i]->c"]),
    ("->a", False, ["", "a_[i]"], ["", "a_[i]"], ["->a"]),
    ("->", False, [], ["", "_[i]"], ["->"]),
    ("a.(b).c(d)", False, ["a.(b).c(d)"], ["a.(b).c"], ["a.(b).c"]),
    ("a.(b)(c)", False, ["a."], ["a.(b)"], ["a.(b)(c)"]),
    ("a;b", False, ["a:b"], ["a:b"], ["a;b"]),
    ("a\"b'(c)", False, ["ab"], ["a\"b'"], ["a\"b'(c)"]),
    ("f h0123456789ABCDEF", False, ["f h0123456789ABCDEF"], ["f "], ["f h0123456789ABCDEF"]),
]  # fmt: skip


@pytest.mark.parametrize(("symbol", "java", "perl", "inferno", "ours"), RIVALS)
def test_compat_styles_print_what_the_tools_print(
    symbol: str, java: bool, perl: list[str], inferno: list[str] | None, ours: list[str] | None
) -> None:
    def printed(style: str) -> list[str]:
        return [name.decode() for name in names(style, symbol.encode(), java_root=java)]

    assert printed("stackcollapse-perf") == perl
    assert printed("inferno") == (perl if inferno is None else inferno)
    assert printed("tidy") == (perl if ours is None else ours)
    assert printed("raw") == [symbol]


STYLES = ["raw", "tidy", "stackcollapse-perf", "inferno"]


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize(
    ("module", "plain", "with_address"),
    [
        (b"/usr/lib/libc.so.6", b"[libc.so.6]", b"[libc.so.6 <7f12>]"),
        (b"//anon", b"[anon]", b"[anon <7f12>]"),
        (b"[kernel.kallsyms]", b"[[kernel.kallsyms]]", b"[[kernel.kallsyms] <7f12>]"),
        (b"/tmp/perf-12.map", b"[perf-12.map]", b"[perf-12.map <7f12>]"),
        (b"app", b"[app]", b"[app <7f12>]"),
        (b"[unknown]", b"[unknown]", b"[unknown <7f12>]"),
        (None, b"[unknown]", b"[unknown <7f12>]"),
    ],
)
def test_unknown_symbol(style: str, module: bytes | None, plain: bytes, with_address: bytes) -> None:
    assert names(style, b"[unknown]", module) == [plain]
    assert names(style, b"[unknown]", module, addrs=True, address_text=b"7f12") == [with_address]
    assert names(style, b"[unknown]", module, addrs=True, address=0x7F12) == [with_address]


@pytest.mark.parametrize("style", ["raw", "tidy"])
def test_unknown_symbol_in_our_styles(style: str) -> None:
    assert names(style, b"", b"/lib/x.so") == [b"[x.so]"]
    assert names(style, b"[unknown]", b"/lib/x.so (deleted)") == [b"[x.so]"]
    assert names(style, b"[unknown]", b"/lib/") == names(style, b"[unknown]", b"") == [b"[unknown]"]
    assert names(style, b"[unknown]", b"/lib/f(x).so") == [b"[f(x).so]"]


@pytest.mark.parametrize("style", ["stackcollapse-perf", "inferno"])
def test_unknown_symbol_in_the_compat_styles(style: str) -> None:
    assert names(style, b"[unknown]", b"/lib/") == names(style, b"[unknown]", b"") == [b"[]"]
    assert names(style, b"a->[unknown]", b"/lib/a;b.so") == [b"a", b"[a:b.so]_[i]"]
    assert names(style, b"") == ([] if style == "stackcollapse-perf" else [b""])
    assert names(style, b" ") == [b" "]


@pytest.mark.parametrize(
    ("symbol", "kind", "kernel", "jit", "both"),
    [
        ("f(int)", USER, "f", "f", "f"),
        ("f(int)", KERNEL, "f_[k]", "f", "f_[k]"),
        ("f(int)", JIT, "f", "f_[j]", "f_[j]"),
        ("f(int)", INLINED, "f_[i]", "f_[i]", "f_[i]"),
        ("[unknown]", KERNEL, "[app]_[k]", "[app]", "[app]_[k]"),
        ("f_[k]", KERNEL, "f_[k]", "f_[k]", "f_[k]"),
        ("f_[i]", KERNEL, "f_[i]", "f_[i]", "f_[i]"),
        ("f_[j]", INLINED, "f_[j]", "f_[j]", "f_[j]"),
    ],
)
def test_tidy_annotations(symbol: str, kind: int, kernel: str, jit: str, both: str) -> None:
    assert tidy(symbol, kind=kind, annotate_kernel=True) == [kernel]
    assert tidy(symbol, kind=kind, annotate_jit=True) == [jit]
    assert tidy(symbol, kind=kind, annotate_kernel=True, annotate_jit=True) == [both]


def test_tidy_annotates_inlined_methods_only_when_asked() -> None:
    assert tidy("La/B;::x->Lc/D;::y", kind=JIT) == ["a/B::x", "c/D::y"]
    assert tidy("La/B;::x->Lc/D;::y", kind=JIT, annotate_jit=True) == ["a/B::x_[j]", "c/D::y_[i]"]
    assert tidy("La/B;::x->Lc/D;::y", kind=JIT, annotate_kernel=True) == ["a/B::x", "c/D::y_[i]"]


def test_raw_annotates_and_changes_nothing_else() -> None:
    assert names("raw", b"(f;->Lg;::h(int)::h0123456789abcdef", kind=KERNEL, annotate_kernel=True) == [
        b"(f;->Lg;::h(int)::h0123456789abcdef_[k]"
    ]


# Module: what stackcollapse-perf and inferno append to f with --all.
TOOL_MARKS = {
    b"[kernel.kallsyms]": ("k", "k"),
    b"[unknown]": ("", ""),
    b"[unknown1]": ("", "k"),
    b"[vdso]": ("k", "k"),
    b"/boot/vmlinux": ("k", "k"),
    b"/a/unknown/vmlinux": ("", "k"),
    b"/boot/vmlinux-5.4.0-42_generic": ("", "k"),
    b"/boot/vmlinux-5.4+": ("", ""),
    b"/vmlinux-5/f": ("", ""),
    b"/lib/ext4.ko": ("", "k"),
    b"/lib/ext4.ko.xz": ("", ""),
    b"/tmp/perf-1.map": ("j", "j"),
    b"/tmp/perf-x.map": ("", "j"),
    b"/tmp/perf-.map": ("", "j"),
    b"/x/tmp/perf-1.map": ("j", ""),
    b"/tmp/perf-1.mapx": ("j", ""),
    b"tmp/perf-1.map": ("", ""),
    b"/d/jitted-1-2.so": ("", "j"),
    b"jitted-1-2.so": ("", ""),
    b"inlined": ("", ""),
}


@pytest.mark.parametrize(("module", "marks"), TOOL_MARKS.items())
def test_compat_annotations(module: bytes, marks: tuple[str, str]) -> None:
    for style, mark in zip(["stackcollapse-perf", "inferno"], marks, strict=True):
        suffix = f"_[{mark}]".encode() if mark else b""
        assert names(style, b"f", module, annotate_kernel=True, annotate_jit=True) == [b"f" + suffix]
        assert names(style, b"f", module, annotate_kernel=mark != "k", annotate_jit=mark != "j") == [b"f"]
        again = b"f_[k]_[k]" if mark == "k" else b"f_[k]" + suffix
        assert names(style, b"f_[k]", module, annotate_kernel=True, annotate_jit=True) == [again]
        assert names(style, b"f_[j]", module, annotate_jit=True) == [b"f_[j]"]


KERNEL_PC = 0xFFFFFFFFAEE8017B

KINDS = {
    b"[kernel.kallsyms]": KERNEL,
    b"[kernel.vmlinux]": KERNEL,
    b"[kernel]": KERNEL,
    b"[guest.kernel.kallsyms]": KERNEL,
    b"[guest.kernel.kallsyms.123]": KERNEL,
    b"[ext4]": KERNEL,
    b"[nf_conntrack-x]": KERNEL,
    b"[bpf_prog_6deef7357e7b4530]": KERNEL,
    b"vmlinux": KERNEL,
    b"/boot/vmlinux-6.1.0-18-amd64": KERNEL,
    b"/usr/lib/debug/boot/vmlinux.debug": KERNEL,
    b"/root/.debug/[kernel.kallsyms]/abf9/kallsyms": KERNEL,
    b"/root/.debug/.build-id/ab/cd/vmlinux": KERNEL,
    b"/proc/kcore": KERNEL,
    b"/lib/modules/6.1.0/kernel/fs/ext4/ext4.ko": KERNEL,
    b"/lib/modules/6.1.0/kernel/fs/ext4/ext4.ko.xz": KERNEL,
    b"ext4.ko.gz": KERNEL,
    b"ext4.ko.zst": KERNEL,
    b"ext4.ko.zst (deleted)": KERNEL,
    b"bpf_prog_6deef7357e7b4530_sd_fw_egress": KERNEL,
    b"bpf_trampoline_6442536467": KERNEL,
    b"/tmp/perf-1234.map": JIT,
    b"/proc/12/root/tmp/perf-7.map": JIT,
    b"perf-7.map (deleted)": JIT,
    b"/root/.debug/jit/x/jitted-1234-7.so": JIT,
    b"jitted-1234-7.so": JIT,
    b"[JIT] tid 1234": JIT,
    b"[JIT app cache]": JIT,
    b"[anon:dalvik-jit-code-cache]": JIT,
    b"[anon_shmem:dalvik-jit-code-cache]": JIT,
    b"/memfd:jit-cache (deleted)": JIT,
    b"/dev/ashmem/dalvik-jit-code-cache": JIT,
    b"inlined": INLINED,
    b"/usr/lib/x86_64-linux-gnu/libc.so.6": USER,
    b"/usr/bin/node": USER,
    b"/usr/bin/inlined": USER,
    b"[vdso]": USER,
    b"[vdso32]": USER,
    b"[vsyscall]": USER,
    b"[vvar]": USER,
    b"[heap]": USER,
    b"[stack]": USER,
    b"[stack:123]": USER,
    b"[uprobes]": USER,
    b"[vectors]": USER,
    b"[sigpage]": USER,
    b"[anon]": USER,
    b"[anon:libc_malloc]": USER,
    b"//anon": USER,
    b"/memfd:x (deleted)": USER,
    b"/tmp/perf-x.map": USER,
    b"/tmp/perf-.map": USER,
    b"/tmp/perf-1.mapx": USER,
    b"/tmp/perf-1.map/libx.so": USER,
    b"jitted-1.so": USER,
    b"jitted--1.so": USER,
    b"jitted-1-.so": USER,
    b"vmlinux5": USER,
    b"/opt/vmlinux-tools/bin/x": USER,
    b"x.koala": USER,
    b"[": USER,
    b"[]": USER,
    b"[ext4": USER,
    b"[my module]": USER,
}


@pytest.mark.parametrize(("module", "kind"), KINDS.items())
def test_kind_of_module(module: bytes, kind: int) -> None:
    assert kind_of_module(module) == kind
    assert kind_of_module(module, KERNEL_PC if kind == KERNEL else 0x7F12_3456_7890) == kind


def test_kind_by_address() -> None:
    for module in (None, b"", b"[unknown]"):
        assert kind_of_module(module) == USER
        assert kind_of_module(module, 0xFFFF_0000_0000_0000) == KERNEL
        assert kind_of_module(module, 0xFFFE_FFFF_FFFF_FFFF) == USER
    assert kind_of_module(b"[ext4]", 0x7FFF_FFFF_FFFF_FFFF) == USER
    assert kind_of_module(b"[ext4]", 0x8000_0000_0000_0000) == KERNEL
    assert kind_of_module(b"/usr/bin/app", KERNEL_PC) == USER


def test_unknown_style() -> None:
    with pytest.raises(UsageError, match="'perl'"):
        FrameNamer("perl")


def test_a_namer_forgets_the_frame_before() -> None:
    namer = FrameNamer("tidy")
    long = b"x" * 100_000
    assert namer.name_parts(long + b"(int)", None) == [(long, USER)]
    assert namer.name_parts(b"La;::b->Lc;::d", None) == [(b"a::b", USER), (b"c::d", INLINED)]
    assert namer.name_parts(b"f(int)", None) == [(b"f", USER)]


HOSTILE = [
    b"(", b")", b"()", b"(*", b" (*", b"<", b"<(", b" (*(*f", b"->", b"a->", b"a->(", b"La;::b->", b"La", b"L/-",
    b"operator", b"operator<", b"operator()", b"operator->", b"::", b"::h", HASH, HASH + b"(a)", b"h0", b"$", b"$LT$",
    b"$u", b"_$LT$", b".", b"..", b".(", b").", b"py::", b"py::a::", b" [clone ", b" [clone .a]", b" (.", b" const",
    b" &", b"@", b"[", b"[unknown]->", b"(anonymous namespace)", b"_[i]", b"_[", b"f(a)", b"\x00", b"\xff",
]  # fmt: skip


@pytest.mark.parametrize("style", STYLES)
def test_time_is_linear_in_the_length(style: str) -> None:
    """Each name of 64 KiB takes microseconds by the byte; quadratic ones would take seconds."""
    namer = FrameNamer(style, addrs=True, annotate_kernel=True, annotate_jit=True)
    for unit in HOSTILE:
        for tail in (b"", b"(a)", b") [clone .b]", HASH):
            symbol = (unit * 65_536)[: 65_536 - len(tail)] + tail
            for kind in (USER, JIT):
                start = time.process_time()
                namer.name_parts(symbol, b"/lib/x.so", kind=kind)
                assert time.process_time() - start < 0.5, (unit, tail)
