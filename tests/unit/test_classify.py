"""Frames of every class, written down by hand: symbol, module, and the kind where the module does not say it."""

from __future__ import annotations

import random
import time

import pytest

from flameparse.frames.classify import CLASSES, FILTERS, class_and_tier, frame_class, frame_filters
from flameparse.frames.kind import kind_of_module

KINDS = {"user": 0, "kernel": 1, "jit": 2, "inlined": 3}

# `symbol | module | kind`. Without a kind it is that of the module; without a module the input had none, as folded
# text has none.
FRAMES = {
    "app": r"""
JS:*fib /app/cpu.js:4:14 | /tmp/perf-7.map
JS:~fib /app/cpu.js:4:14 | /tmp/perf-7.map
JS:^fib /app/cpu.js:4:14 | /tmp/perf-7.map
JS:+fib /app/cpu.js:4:14 | /tmp/perf-7.map
JS:+'fib /app/cpu.js:4:14 | /tmp/perf-7.map
JS:o*sortLoop /app/app.js:5:18 | /tmp/perf-7.map
JS:o+rx /app/app.js:5:18 | /tmp/perf-7.map
JS:*fib /app/cpu.js:4:14 | jitted-7-12.so
JS:*fib /app/cpu.js:4:14 | /home/me/.debug/jit/x/jitted-7-12.so
JS:*fib /app/cpu.js:4:14 | [JIT] tid 7
JS:*fib /app/cpu.js:4:14
JS:*fib /app/cpu.js:4:14_[j]
JS:* /app/cpu.js:9:64 | /tmp/perf-7.map
JS:*get gg /app/odd dir (x)/odd name.js:6:9 | /tmp/perf-7.map
JS:^str lit (a) b:1:2 /app/odd dir (x)/odd name.js:8:22 | /tmp/perf-7.map
JS:~größe /app/a.js:19:15 | /tmp/perf-7.map
JS:~#priv /app/a.js:18:16 | /tmp/perf-7.map
JS:~<instance_members_initializer> /app/a.js:18:1 | /tmp/perf-7.map
JS:*esmf file:///app/a%20b.mjs:2:24 | /tmp/perf-7.map
Script:~ file:///app/a%20b.mjs:1:1 | /tmp/perf-7.map
Eval:~ /app/cpu.js:1:1 | /tmp/perf-7.map
Eval:~ /tmp/cpu.js:1 | /tmp/perf-7.map
Script:~ /tmp/cpu.js:1 | /tmp/perf-7.map
Script:~obj.anon /tmp/cpu.js:14 | /tmp/perf-7.map
LazyCompile:*fib /app/cpu.js:4 | /tmp/perf-7.map
LazyCompile:~fib /app/cpu.js:4 | /tmp/perf-7.map
LazyCompile: fib /app/cpu.js:4 | /tmp/perf-7.map
InterpretedFunction:main /app/cpu.js:17 | /tmp/perf-7.map
Function:^main /app/cpu.js:17 | /tmp/perf-7.map
Function:~main /app/cpu.js:17 | /tmp/perf-7.map
JS:*vmt C:\win dir\f.js:1:14 | /tmp/perf-7.map
JS:*f c:/win/f.js:1:14 | /tmp/perf-7.map
JS:*f webpack:///src/index.ts:1:14 | /tmp/perf-7.map
JS:*f https://example.com/app.js:1:14 | /tmp/perf-7.map
JS:*f bundle.js:1:14 | /tmp/perf-7.map
JS:*f index.ts:1:14 | /tmp/perf-7.map
JS:~xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx | /tmp/perf-7.map
JS:*vmf line | /tmp/perf-7.map
JS:*
JS:*(anonymous | /tmp/perf-7.map
JS:*internal /app/internal/x.js:1:2 | /tmp/perf-7.map
JS:*f /app/my_node_modules_copy.js:1:2 | /tmp/perf-7.map
JS:*f /app/my_node_modules/x.js:1:2 | /tmp/perf-7.map
JS:*f C:\app\my_node_modules\x.js:1:2 | /tmp/perf-7.map
JS:*node: /app/x.js:1:2 | /tmp/perf-7.map
*fib /app/cpu.js:4:14
fib /app/cpu.js:4:14
~main /app/cpu.js:17
main /app/cpu.ts:17:1_[j]
(anon) as handler at /app/server.js position 5243 | node
handler at /app/server.js position 12
something a JIT made | /tmp/perf-7.map
void [System.Private.CoreLib] System.Foo::Bar(int32)[Tier0] | /tmp/perf-7.map
$lists:map/2 | /tmp/perf-7.map
TRACE_7::/app/x.lua:3 | /tmp/perf-7.map
JS:*GET /users/:id /app/a.js:19:19 | /tmp/perf-7.map
JS:~f /app/components/App.vue:3:1 | /tmp/perf-7.map
JS:*f /app/src/view.tsx:3:1 | /tmp/perf-7.map
JS:*f /app/src/index.mts:3:1 | /tmp/perf-7.map
JS:*vmp webpack:///./src/index.vue?4f2c:1:14 | /tmp/perf-7.map
JS:*f file:///C:/x.js:1:2 | /tmp/perf-7.map
JS:*f \\srv\share d\x.js:1:2 | /tmp/perf-7.map
JS:*vmne native evil.js:1:15 | /tmp/perf-7.map
JS:*evalmachine.<anonymous> /app/a.js:1:2 | /tmp/perf-7.map
JS:*[INIT] /app/a.js:1:2 | /tmp/perf-7.map
JS:*_[k] /app/a.js:1:2 | /tmp/perf-7.map
JS:~x-turbofan /app/a.js:1:2 | /tmp/perf-7.map
JS:*wasm-function[3] /app/a.js:1:2 | /tmp/perf-7.map
JS:^f /app/x.js?q=1 2#h:3:1:18 | /tmp/perf-7.map
JS:*Builtins_ArrayMap /app/a.js:1:2 | /tmp/perf-7.map
JS:*f /app/internal/node:fs.js:1:2 | /tmp/perf-7.map
JS:*f /app/_http_agent.js:1:2 | /tmp/perf-7.map
LazyCompile:*f bundle.js:4 | /tmp/perf-7.map
LazyCompile:*f timers.js:4:5 | /tmp/perf-7.map
JS:*f /app/REPL1:1:2 | /tmp/perf-7.map
JS:+'typed /app/ts/typed.ts:2:15 | /tmp/perf-7.map
fib /app/App.vue:4:14
Program:Main (string[]) | /tmp/perf-7.map
DFG: sort | /tmp/perf-7.map
wasm[0]::function[3] | /tmp/perf-7.map
JIT$Foo::bar | /tmp/perf-7.map
Integer#times@<internal:numeric>:231 | /tmp/perf-7.map
JS:*a `b` c /app/a.js:1:2
*f`oo /app/a.js:1:2
""",
    "deps": r"""
JS:*depSpin /app/node_modules/dep/index.js:1:32 | /tmp/perf-7.map
JS:~next /app/node_modules/express/lib/router/index.js:160:14 | /tmp/perf-7.map
JS:^f /app/node_modules/@scope/a/b.cjs:3:1 | /tmp/perf-7.map
JS:*f /app/node_modules/.pnpm/a@1.0.0/node_modules/a/x.js:3:1 | /tmp/perf-7.map
JS:*f file:///app/node_modules/got/dist/x.js:3:1 | /tmp/perf-7.map
JS:*f C:\app\node_modules\got\x.js:3:1 | /tmp/perf-7.map
LazyCompile:*f /app/node_modules/a/b.js:4 | /tmp/perf-7.map
LazyCompile:*f node_modules/a/b.js:4 | /tmp/perf-7.map
InterpretedFunction:f /app/node_modules/a/b.js:4 | /tmp/perf-7.map
Function:^f /app/node_modules/a/b.js:4 | /tmp/perf-7.map
Eval:~ /app/node_modules/a/b.js:1:1 | /tmp/perf-7.map
Script:~ /app/node_modules/a/b.js:1 | /tmp/perf-7.map
JS:o+'f /app/node_modules/a/b.js:1:1 | /tmp/perf-7.map
JS:*f /app/node_modules/a/internal/b.js:1:1 | /tmp/perf-7.map
JS:*f /app/my_node_modules/node_modules/b.js:1:1 | /tmp/perf-7.map
JS:*f /app/node_modules/a/b.js:1:1_[j]
*f /app/node_modules/a/b.js:1:1
(anon) as f at /app/node_modules/a/b.js position 99 | node
JS:*f webpack:///./node_modules/got/x.js:3:1 | /tmp/perf-7.map
JS:*f /app/.yarn/cache/x-npm-1.0.0-abc.zip/node_modules/x/index.js:1:2 | /tmp/perf-7.map
JS:*f /app/.yarn/releases/yarn-4.0.0.cjs:1:2 | /tmp/perf-7.map
JS:*f /app/.yarn/__virtual__/x-1/0/cache/x.zip/node_modules/x/a.js:1:2 | /tmp/perf-7.map
JS:~resolveRequest /app/.pnp.cjs:1:2 | /tmp/perf-7.map
JS:*f /app/.pnp.js:1:2 | /tmp/perf-7.map
JS:*f D:\app\node_modules\a\b.js:1:2
""",
    "core": r"""
JS:~prepareMainThreadExecution node:internal/process/pre_execution:52:36 | /tmp/perf-7.map
JS:*emit node:events:518:28 | /tmp/perf-7.map
JS:^get hasSubscribers node:diagnostics_channel:250:21 | /tmp/perf-7.map
JS:~ node:internal/main/run_main_module:1:1 | /tmp/perf-7.map
JS:~<instance_members_initializer> node:internal/fs/promises:195:1 | /tmp/perf-7.map
JS:*lexer node:internal/deps/cjs-module-lexer/lexer:1:1 | /tmp/perf-7.map
Eval:~ node:crypto:1:1 | /tmp/perf-7.map
Eval:~ node:internal/abort_controller:1 | /tmp/perf-7.map
Function:~ node:internal/main/run_main_module:1 | /tmp/perf-7.map
LazyCompile:~splitRoot node:fs:2533 | /tmp/perf-7.map
LazyCompile:~set consoleFromVM internal/util/inspector.js:65 | /tmp/perf-7.map
LazyCompile:~emitAfterScript internal/async_hooks.js:328 | /tmp/perf-7.map
LazyCompile:*createWriteReq net.js:790 | /tmp/perf-7.map
LazyCompile:~Module._compile module.js:610 | /tmp/perf-7.map
LazyCompile:~debugs.(anonymous function) util.js:245 | /tmp/perf-7.map
LazyCompile:*update crypto.js:97
Script:~ _stream_duplex.js:1 | /tmp/perf-7.map
Eval:~ _stream_passthrough.js:1 | /tmp/perf-7.map
Eval:~<static_fields_initializer> internal/bootstrap/loaders.js:165 | /tmp/perf-7.map
InterpretedFunction:Console.(anonymous function) console.js:185 | /tmp/perf-7.map
LazyCompile:~startup bootstrap_node.js:12 | /tmp/perf-7.map
JS:~ node:electron/js2c/asar_bundle:2:1 | /tmp/perf-7.map
JS:*emit node:events:518:28_[j]
emit node:events:518:28
~emit events.js:160
(anon) as exports.active at timers.js position 5243 | node
(anon) as exports.active at timers.js position 5243
Module._load at module.js position 7000 | node
JS:~f node:electron/js2c/asar_bundle:2:1 | /tmp/perf-7.map
JS:~f electron/js2c/node_init:2:1 | /tmp/perf-7.map
JS:*f ext:deno_web/02_event.js:1:2 | /tmp/perf-7.map
JS:*f ext:core/01_core.js:1:2 | /tmp/perf-7.map
LazyCompile:~ fs/promises.js:4 | /tmp/perf-7.map
LazyCompile:~require internal/modules/cjs/helpers.js:22 | /tmp/perf-7.map
Function:^job.ondone node:internal/crypto/pbkdf2:52 | /tmp/perf-7.map
JS:*f node:internal/deps/undici/undici:1:2 | /tmp/perf-7.map
""",
    "native": r"""
LazyCompile:~sort native array.js:748 | /tmp/perf-7.map
LazyCompile:*QuickSort native array.js:573 | /tmp/perf-7.map
LazyCompile:* native array.js:567 | /tmp/perf-7.map
LazyCompile:~GetMethod native v8natives.js:12 | /tmp/perf-7.map
LazyCompile:~Uint8ArrayConstructByIterable native typedarray.js:127 | /tmp/perf-7.map
LazyCompile:~WeakMap native weak-collection.js:8
InterpretedFunction:match native string.js:12 | /tmp/perf-7.map
*InsertionSort native array.js:542
""",
    "inlined": r"""
std::vector<int>::push_back | inlined
fib | inlined
core::iter::f | /usr/bin/app | inlined
org/acme/Job::step | /tmp/perf-7.map | inlined
uv_run | /usr/bin/node | inlined
org/acme/Job::step_[i]
malloc_[i]
""",
    "regexp": r"""
RegExp:a+b+c*$ | /tmp/perf-7.map
RegExp:^(\w+)-(\d+)@((?:[a-z]+\.)+[a-z]{2,})$ | /tmp/perf-7.map
RegExp:\/path: [x] flags: 'g' | /tmp/perf-7.map
RegExp:(?:^|\/)\.?\.$ | /tmp/perf-7.map
RegExp:~x | /tmp/perf-7.map
RegExp: | /tmp/perf-7.map
RegExp:node_modules/ /app/x.js:1:2 | /tmp/perf-7.map
RegExp.> src: 'a+b+c*$' flags: '' | /tmp/perf-7.map
RegExp.> src: '^(\w+)-(\d+)@((?:[a-z]+\.)+[a-z]{2,})$' flags: 'i' | /tmp/perf-7.map
RegExp.< src: '([a-z]+)-(\d+)' flags: 'g' | /tmp/perf-7.map
RegExp.< src: '^(\w+)-(\d+) (x|y)'q' \+ \(z\)$' flags: '' | /tmp/perf-7.map
RegExp.< src: 'cut sho | /tmp/perf-7.map
RegExp:a+b+c*$
RegExp:a+_[j]
RegExp::1:2 | /tmp/perf-7.map
RegExp::: | /tmp/perf-7.map
RegExp:a`b
""",
    "wasm": r"""
JS:wasm-function[0]-0-turbofan | /tmp/perf-7.map
JS:wasm-function[0]-0-liftoff | /tmp/perf-7.map
JS:my fun:c-0-turbofan | /tmp/perf-7.map
JS:my fun:c-0-liftoff | /tmp/perf-7.map
Function:wasm-function[0]-0 | /tmp/perf-7.map
Function:wasm-function[12]-12-turbofan | /tmp/perf-7.map
Function:wasm-function[12]-12-liftoff | /tmp/perf-7.map
Function:WASM_function#0:module: (wasm):0 | /tmp/perf-7.map
Function:js-to-wasm#0:export:js-to-wasm#0 (wasm):0 | /tmp/perf-7.map
JS:wasm-function[0]-0-turbofan_[j]
JS:*f wasm://wasm/0a1b2c:1:66 | /tmp/perf-7.map
JS:my fun: (x) /a.js:1-0-liftoff | /tmp/perf-7.map
Function:my fun: (x) /a.js:1-0 | /tmp/perf-7.map
Function:fib-0-turbofan | /tmp/perf-7.map
JS:core::fmt::Formatter::pad-812-turbofan | /tmp/perf-7.map
JS:<&T as core::fmt::Debug>::fmt-99-liftoff | /tmp/perf-7.map
Function:WASM_function#0:module:my fun: (x) /a.js:1 (wasm):0 | /tmp/perf-7.map
""",
    "eval": r"""
Eval:~ :1:1 | /tmp/perf-7.map
Eval:~ :1 | /tmp/perf-7.map
Eval:~evald :1 | /tmp/perf-7.map
JS:* :1:20 | /tmp/perf-7.map
JS:^ :1:20 | /tmp/perf-7.map
JS:*evd :1:14 | /tmp/perf-7.map
LazyCompile:*evald :1 | /tmp/perf-7.map
LazyCompile:* :-1 | /tmp/perf-7.map
LazyCompile: :1 | /tmp/perf-7.map
Function:^evald :1 | /tmp/perf-7.map
InterpretedFunction:evd :1 | /tmp/perf-7.map
Script:~ :1 | /tmp/perf-7.map
JS:*f evalmachine.<anonymous>:1:14 | /tmp/perf-7.map
Script:~ evalmachine.<anonymous>:1:1 | /tmp/perf-7.map
JS:*f [eval]:1:14 | /tmp/perf-7.map
Script:~ [eval]-wrapper:6:24 | /tmp/perf-7.map
JS:* :1:20
evd :1:14
JS:*f data:text/javascript,export function run(n) { return n / 2 }:1:20 | /tmp/perf-7.map
JS:*f REPL1:1:1 | /tmp/perf-7.map
JS:*f repl:1:1 | /tmp/perf-7.map
JS:*f [worker eval]:1:1 | /tmp/perf-7.map
JS:*f [stdin]:1:1 | /tmp/perf-7.map
JS:*viaFile <anonymous>:1:18 | /tmp/perf-7.map
JS:^LLLLLLLLLLLL :3:617 | /tmp/perf-7.map
""",
    "v8": r"""
Builtins_ArrayMap | /usr/bin/node
Builtins_JSEntry | /usr/bin/node
Builtins_JSEntryTrampoline | /usr/bin/node
Builtins_CompileLazy | /usr/bin/node
Builtins_LoadIC | /usr/bin/node
Builtins_KeyedStoreIC_Megamorphic | /usr/bin/node
Builtins_CEntry_Return1_ArgvOnStack_NoBuiltinExit | /usr/bin/node
Builtins_BaselineOutOfLinePrologue | /usr/bin/node
Builtins_AsyncFunctionAwaitResolveClosure | /usr/bin/node
Builtins_PromiseFulfillReactionJob | /usr/bin/node
Builtins_WasmTrapHandlerLandingPad | /usr/bin/node
Builtins_ArrayMap | /usr/lib/libnode.so.108
Builtins_ArrayMap
Builtin:ArrayPush | /tmp/perf-7.map
Builtin:RunMicrotasks | jitted-7-3.so
Builtin:LoadIC | /tmp/perf-7.map
Builtin:JSEntry
Stub:CEntryStub | /tmp/perf-7.map
Stub:js_to_wasm:i:i | /tmp/perf-7.map
Stub:js-to-wasm:i:i | /tmp/perf-7.map
Handler:An IC handler from the snapshot | /tmp/perf-7.map
Handler:length | /tmp/perf-7.map
Handler:UnknownBytecodeHadler | /tmp/perf-7.map
LoadIC:A load IC from the snapshot | /tmp/perf-7.map
StoreIC:A store IC from the snapshot | /tmp/perf-7.map
KeyedLoadIC:A keyed load IC from the snapshot | /tmp/perf-7.map
KeyedStoreIC:A keyed store IC from the snapshot
LoadGlobalIC:A load global IC from the snapshot | /tmp/perf-7.map
CompareIC:x | /tmp/perf-7.map
LazyCompile: | /tmp/perf-7.map
Script:~ v8/gc:1:1 | /tmp/perf-7.map
Novelty:of a later version | /tmp/perf-7.map
v8::internal::Heap::Scavenge | /usr/bin/node
v8::internal::Heap::CollectGarbage(v8::internal::AllocationSpace, v8::internal::GarbageCollectionReason) | /usr/bin/node
v8::internal::(anonymous namespace)::Invoke | /usr/bin/node
v8::Function::Call | /usr/bin/node
void v8::internal::BodyDescriptorBase::IteratePointers<v8::internal::Visitor>(v8::internal::HeapObject) | /usr/bin/node
unsigned long v8::internal::Sweeper::RawSweep | /usr/bin/node
v8::internal::compiler::PipelineImpl::OptimizeGraph | /usr/bin/node
v8::internal::operator<<(std::ostream&, v8::internal::X) | /usr/bin/node
v8::base::Mutex::Lock | /usr/bin/node
v8::platform::DefaultJobWorker::Run | /usr/bin/node
v8_inspector::V8InspectorImpl::compile | /usr/bin/node
cppgc::internal::Sweeper::Start | /usr/bin/node
heap::base::Stack::IteratePointers | /usr/bin/node
non-virtual thunk to v8::internal::Foo::bar | /usr/bin/node
_ZN2v88internal4Heap8ScavengeEv | /usr/bin/node
_ZNK2v85Value8IsStringEv | /usr/bin/node
anything | /opt/lib/libv8.so
v8::internal::Runtime_StackGuard
<< adaptor >> | node
<< internal code >> | node
<< entry >>
(garbage collector)
v8::internal::Builtin_HandleApiCall | /usr/bin/node
v8::internal::Builtin_HandleApiCall(int, unsigned long*, v8::internal::Isolate*) | /usr/bin/node
v8::internal::compiler::turboshaft::Pipeline::Run | /usr/bin/node
v8::internal::maglev::MaglevCompiler::Compile | /usr/bin/node
v8::internal::wasm::(anonymous namespace)::ExecuteCompilationUnits | /usr/bin/node
void* v8::internal::Malloced::operator new | /usr/bin/node
bool v8::internal::Foo<int>::Bar(int) | /usr/bin/node
unibrow::Utf8::ValidateEncoding | /usr/bin/node
disasm::DisassemblerX64::InstructionDecode | /usr/bin/node
v8_crdtp::json::Parse | /usr/bin/node
PushAllRegistersAndIterateStack | /usr/bin/node
construct_stub_create_deopt_addr | /usr/bin/node
Foo:Bar | /tmp/perf-7.map
node`v8::internal::Heap::Scavenge
node`Builtins_ArrayMap
""",
    "interpreter": r"""
Builtins_InterpreterEntryTrampoline | /usr/bin/node
Builtins_InterpreterEntryTrampoline | /usr/lib/libnode.so.108
Builtins_InterpreterEntryTrampoline
Builtins_InterpreterPushArgsThenCall | /usr/bin/node
Builtins_InterpreterEnterAtBytecode | /usr/bin/node
Builtins_InterpreterOnStackReplacement | /usr/bin/node
Builtins_LdarHandler | /usr/bin/node
Builtins_CallProperty1Handler | /usr/bin/node
Builtins_AddExtraWideHandler | /usr/bin/node
Builtins_Star0Handler | /usr/bin/node
Builtins_WideHandler
Builtin:InterpreterEntryTrampoline | /tmp/perf-7.map
Builtin:InterpreterPushArgsThenCall
BytecodeHandler:Wide | /tmp/perf-7.map
BytecodeHandler:LdaGlobal | /tmp/perf-7.map
BytecodeHandler:Add.ExtraWide | jitted-7-3.so
BytecodeHandler:Star0
Builtin:InterpreterEntryTrampoline | jitted-7-3.so
node`Builtins_InterpreterEntryTrampoline
Builtins_InterpreterEntryTrampoline | /usr/bin/node (deleted)
""",
    "libuv": r"""
uv_run | /usr/bin/node
uv__io_poll | /usr/bin/node
uv__run_timers | /usr/bin/node
uv__work_done | /usr/bin/node
uv_run | /usr/lib/x86_64-linux-gnu/libuv.so.1.0.0
worker | /usr/lib/x86_64-linux-gnu/libuv.so.1.0.0
post | libuv.1.dylib
uv_run | node
uv_run
uv__epoll_init
worker | /usr/bin/node
worker | /opt/node20
post | /usr/lib/libnode.so.108
init_once | /usr/bin/node
maybe_new_socket.part.0 | /usr/bin/node
uv_run@plt | /usr/bin/app
node`uv_run
node`uv__io_poll
libuv.so.1`worker
""",
    "openssl": r"""
SSL_read | /usr/bin/node
EVP_DigestUpdate | /usr/bin/node
EVP_EncryptUpdate | /usr/bin/node
sha256_block_data_order_avx2 | /usr/bin/node
sha512_block_data_order | /usr/bin/node
sha1_block_data_order_shaext | /usr/bin/node
aesni_ctr32_encrypt_blocks | /usr/bin/node
ossl_bn_rsaz_exp | /usr/bin/node
OPENSSL_cleanse | /usr/bin/node
OSSL_PARAM_locate | /usr/bin/node
CRYPTO_gcm128_encrypt | /usr/bin/node
BN_mod_exp_mont | /usr/bin/node
bn_mul_mont | /usr/bin/node
RSA_verify | /usr/bin/node
ecp_nistz256_point_add | /usr/bin/node
X509_verify_cert | /usr/bin/node
ASN1_item_ex_d2i | /usr/bin/node
d2i_X509 | /usr/bin/node
PEM_read_bio_X509 | /usr/bin/node
RAND_bytes | /usr/bin/node
HMAC_Update | /usr/bin/node
SHA256_Update | /usr/bin/node
ChaCha20_avx2 | /usr/bin/node
tls_process_server_hello | /usr/bin/node
ssl3_read_bytes | /usr/bin/node
OBJ_NAME_add | /usr/bin/node
openssl_add_all_ciphers_int | /usr/bin/node
default_context_do_init_ossl_ | /usr/bin/node
anything | /usr/lib/x86_64-linux-gnu/libcrypto.so.3
anything | /usr/lib/x86_64-linux-gnu/libssl.so.1.1
malloc | /usr/lib/x86_64-linux-gnu/libssl.so.3
SSL_write
EVP_MD_CTX_new
kdf_pbkdf2_derive | /usr/bin/node
sha512_internal_final | /usr/bin/node
x509_name_ex_d2i | /usr/bin/node
ssleay_rand_bytes | /usr/bin/node
ssleay_rand_status | /usr/bin/node
ssl23_connect | /usr/bin/node
SSLeay_version | /usr/bin/node
_aesni_encrypt6 | /usr/bin/node
__ecp_nistz256_mul_montx | /usr/bin/node
MD4_Update | /usr/bin/node
rc4_hmac_md5_cipher | /usr/bin/node
inner_evp_generic_fetch.constprop.0 | /usr/bin/node
ec_GFp_simple_oct2point | /usr/bin/node
drbg_ctr_generate | /usr/bin/node
provider_activate | /opt/node/bin/node
fe_mul | /usr/bin/node
ssl_sort_cipher_list | /usr/lib/libnode.so.108
X509V3_EXT_d2i | /usr/bin/electron
SSL_read@plt | /usr/bin/app
node`EVP_DigestUpdate
libcrypto.so.3`anything
""",
    "libc": r"""
malloc | /usr/lib/x86_64-linux-gnu/libc.so.6
anything at all | /usr/lib/x86_64-linux-gnu/libc.so.6
_int_malloc | /lib/x86_64-linux-gnu/libc-2.31.so
__memmove_avx_unaligned_erms | /usr/lib/x86_64-linux-gnu/libc.so.6
__libc_start_call_main | /usr/lib/x86_64-linux-gnu/libc.so.6
__libc_start_main@@GLIBC_2.34 | /usr/lib/x86_64-linux-gnu/libc.so.6
start_thread | /usr/lib/x86_64-linux-gnu/libc.so.6
clone3 | /usr/lib/x86_64-linux-gnu/libc.so.6
start_thread | /lib/x86_64-linux-gnu/libpthread-2.31.so
pthread_cond_wait | /lib/x86_64-linux-gnu/libpthread.so.0
_dl_relocate_object | /usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2
do_lookup_x | /lib/ld-2.31.so
free | /lib/ld-musl-x86_64.so.1
sin | /usr/lib/x86_64-linux-gnu/libm.so.6
exp | /lib/x86_64-linux-gnu/libm-2.31.so
malloc | /usr/lib/x86_64-linux-gnu/libc.so.6 (deleted)
__vdso_clock_gettime | [vdso]
clock_gettime | [vdso]
_read | libc.so.1
_thrp_setup | libc.so.1
mach_msg_trap | libsystem_kernel.dylib
thread_start | libsystem_pthread.dylib
start | libdyld.dylib
start | dyld
_start | /usr/bin/node
__libc_start_main
__libc_start_call_main
_start
start_thread
thread_start
clone3
__clone
malloc
_int_free
epoll_wait
__GI___libc_write
pthread_mutex_lock
malloc@plt | /usr/bin/node
getaddrinfo@plt | /usr/bin/node
__libc_csu_init | /usr/bin/node
trunc | /usr/lib/libm.so.6
libc.so.1`malloc
libc.so.7`_read
libsystem_c.dylib`qsort
ld.so.1`elf_bndr
node`_start
""",
    "cpp": r"""
worker | /app/node_modules/sqlite3/build/Release/node_sqlite3.node
provider_activate | /app/build/Release/addon.node
ssleay_rand_bytes | /app/build/Release/addon.node
main | /usr/bin/node
node::Start | /usr/bin/node
node::fs::Read(v8::FunctionCallbackInfo<v8::Value> const&) | /usr/bin/node
node::crypto::Hash::HashUpdate(v8::FunctionCallbackInfo<v8::Value> const&) | /usr/bin/node
void node::Buffer::StringSlice<(node::encoding)1>(v8::FunctionCallbackInfo<v8::Value> const&) | /usr/bin/node
std::_Function_handler<void (v8::Isolate*), X>::_M_invoke | /usr/bin/node
std::vector<int, std::allocator<int> >::push_back | /usr/bin/app
std::thread::_State_impl<std::thread::_Invoker<X> >::_M_run | /usr/bin/app
std::__1::thread::join | /usr/bin/app
std::hash<int>::operator() | /usr/bin/app
operator new | /usr/lib/x86_64-linux-gnu/libstdc++.so.6
std::__throw_bad_alloc | /usr/lib/libc++.so.1
icu_74::UnicodeString::append | /usr/bin/node
simdutf::convert_utf8_to_utf16 | /usr/bin/node
ares_process | /usr/bin/node
llhttp__internal_execute | /usr/bin/node
nghttp2_session_mem_recv | /usr/bin/node
deflate_fast | /usr/bin/node
uvwasi_init | /usr/bin/node
napi_call_function | /usr/bin/node
main.cold | /usr/bin/app
time.part.0 | /usr/bin/app
io.constprop.0 | /usr/bin/app
foo.isra.0 | /usr/bin/app
core::Engine::run | /usr/bin/game
(anonymous namespace)::run | /usr/bin/app
readline | /usr/lib/libreadline.so.8
malloc | /usr/lib/libjemalloc.so.2
read | /usr/bin/app
free | /usr/bin/app
Foo:bar | /usr/bin/app
-[NSObject init] | Foundation
Interpreter | /usr/bin/app
my_function
foo::bar
main
worker | /usr/bin/app
init_once | /usr/bin/app
provider_activate | /usr/bin/app
sha512_final | /usr/bin/app
operator new@plt | /usr/bin/node
virtual thunk to std::basic_ostream<char, std::char_traits<char> >::~basic_ostream()@plt | /usr/bin/node
http_parser_execute | /usr/bin/node
ada::url_aggregator::set_href | /usr/bin/node
simdjson::haswell::implementation::minify | /usr/bin/node
sqlite3_step | /usr/bin/node
BrotliEncoderCompressStream | /usr/bin/node
ncrypto::pbkdf2 | /usr/bin/node
absl::Mutex::Lock | /usr/bin/node
absl::container_internal::raw_hash_set<v8::internal::X>::find | /usr/bin/node
u_charType_74 | /usr/bin/node
std::_Hashtable<int, v8::internal::ZoneAllocator<int> >::find | /usr/bin/node
non-virtual thunk to node::LibuvStreamWrap::IsAlive() | /usr/bin/node
RegExp::match | /usr/bin/app
v8_helper | /usr/bin/app
node`node::Start
app`main
`malloc
""",
    "kernel": r"""
x | [kernel.vmlinux]
FSS`fss_preempt
doorfs`door_close
com.apple.iokit.IOStorageFamily`IOMedia_read
sys_read
SyS_write
__vfs_read
ext4_file_read_iter
tcp_v4_rcv
native_write_msr_safe
_raw_spin_lock
generic_smp_call_function_single_interrupt
do_syscall_64 | [kernel.kallsyms]
entry_SYSCALL_64_after_hwframe | [kernel.kallsyms]
v8::internal::not_really | [kernel.kallsyms]
uv_run | [kernel.kallsyms]
JS:*f /app/x.js:1:2 | [kernel.kallsyms]
[unknown] | [kernel.kallsyms]
ext4_file_read_iter | [ext4]
nf_hook_slow | [nf_tables]
aesni_enc | [aesni_intel]
do_idle | /usr/lib/debug/boot/vmlinux-6.1.0
vmx_vcpu_run | /lib/modules/6.1.0/kernel/arch/x86/kvm/kvm-intel.ko
bpf_prog_6deef7357e7b4530_sd_devices | bpf_prog_6deef7357e7b4530_sd_devices
x | [guest.kernel.kallsyms]
malloc | /usr/lib/libc.so.6 | kernel
mutex_enter | unix
syscall_mstate | genunix
zio_execute | zfs
tcp_output | ip
hndl_unix_scall64 | mach_kernel
hndl_alltraps | kernel
sys_read_[k]
uv_run_[k]
[unknown]_[k]
entry_SYSCALL_64_after_hwframe
do_syscall_64
__x64_sys_read
asm_sysvec_apic_timer_interrupt
asm_exc_page_fault
finish_task_switch.isra.0
ret_from_fork
uv__read | [kernel.kallsyms]
JS:f /app/x.js:1:2 | [nf_conntrack]
nf_conntrack_in | [nf_conntrack]
genunix`syscall
unix`mutex_enter
kernel`hndl
zfs`zio_execute
mach_kernel`hndl_unix_scall64
""",
    "init": r"""
JS:~Module._load node:internal/modules/cjs/loader:1:2 [INIT] | /tmp/perf-7.map
JS:*f /app/x.js:1:2 [INIT]
*f /app/x.js:1:2 [INIT]
f /app/x.js:1[INIT]
LazyCompile:~startup bootstrap_node.js:12 [INIT] | /tmp/perf-7.map
something.js odd [INIT]
JS:*[INIT] /app/a.js:1:2 [INIT] | /tmp/perf-7.map
""",
    "jvm": r"""
ZIP_GetEntry2 | /opt/jdk-21.0.2/lib/libzip.so
LBusy:::main
java/lang/Thread:::run
java/io/PrintStream:::print_[j]
jni_CallStaticVoidMethod
_ZN10JavaThread3runEv
LCounter;::countTo | /tmp/perf-7.map
LCounter;::countTo
Lorg/acme/Job;::run | /tmp/perf-7.map
org/acme/Job::run | /tmp/perf-7.map
java/lang/Thread::run | /tmp/perf-7.map
a/B::x | /tmp/perf-7.map
java.lang.String::hashCode | /tmp/perf-7.map
java.lang.Object java.util.HashMap.get(java.lang.Object) | /tmp/perf-7.map
void org.acme.Job.run() | /tmp/perf-7.map
Interpreter | /tmp/perf-7.map
StubRoutines (1) | /tmp/perf-7.map
StubRoutines (final stubs) | /tmp/perf-7.map
call_stub | /tmp/perf-7.map
vtable stub | /tmp/perf-7.map
Lorg/acme/Job;::run
org/acme/Job::run
org/acme/Job::run_[j]
java/lang/Thread.run
Func_loop.main([Ljava/lang/String;)V
java/lang/Thread.run()V | libjvm.so.1
org/acme/Job.get(I)Lorg/acme/Item;
Foo.bar(II)[B
JavaCalls::call_helper | /usr/lib/jvm/java-17-openjdk-amd64/lib/server/libjvm.so
G1ParScanThreadState::trim_queue | /usr/lib/jvm/java-17-openjdk-amd64/lib/server/libjvm.so
anything | /opt/jdk/lib/server/libjvm.so
ThreadJavaMain | /usr/lib/jvm/java-17-openjdk-amd64/lib/libjli.so
JavaThread::run
JVM_StartThread
Interpreter
I2C/C2I adapters | /tmp/perf-7.map
counter_overflow Runtime1 stub | /tmp/perf-7.map
StackOverflowError throw_exception | /tmp/perf-7.map
_new_array_nozero_Java | /tmp/perf-7.map
jni_fast_GetIntField | /tmp/perf-7.map
wrong_method_stub | /tmp/perf-7.map
SafepointBlob | /tmp/perf-7.map
resolve_opt_virtual_call | /tmp/perf-7.map
""",
    "go": r"""
myapp/internal/server.New | /usr/local/bin/server
app/pkg.Map[go.shape.string,int] | /usr/local/bin/server
runtime.main | /usr/local/bin/server
runtime.goexit.abi0 | /usr/local/bin/server
runtime.mallocgc | /usr/local/bin/server
runtime.(*mheap).alloc | /usr/local/bin/server
main.main | /usr/local/bin/server
main.main.func1 | /usr/local/bin/server
main.(*Server).handle | /usr/local/bin/server
net/http.(*conn).serve | /usr/local/bin/server
net/http.HandlerFunc.ServeHTTP | /usr/local/bin/server
internal/poll.(*FD).Read | /usr/local/bin/server
encoding/json.Marshal | /usr/local/bin/server
crypto/sha256.block | /usr/local/bin/server
github.com/gin-gonic/gin.(*Context).Next | /usr/local/bin/server
github.com/acme/tool/pkg.Run | /usr/local/bin/server
golang.org/x/net/http2.readFrameHeader | /usr/local/bin/server
google.golang.org/grpc.Dial | /usr/local/bin/server
gopkg.in/yaml%2ev3.Unmarshal | /usr/local/bin/server
sync.(*Mutex).Lock | /usr/local/bin/server
type:.eq.main.T | /usr/local/bin/server
_cgo_sys_thread_start | /usr/local/bin/server
crosscall2 | /usr/local/bin/server
runtime.mcall
net/http.(*Client).Do
strings.Index
github.com/acme/tool/pkg.Run
cmpbody | /usr/local/bin/server
_rt0_amd64_linux | /usr/local/bin/server
slices.pdqsortCmpFunc[go.shape.struct { main.a int }] | /usr/local/bin/server
main.Map[go.shape.int] | /usr/local/bin/server
github.com/x/y.Func[...] | /usr/local/bin/server
internal/runtime/maps.(*Iter).Next | /usr/local/bin/server
""",
    "rust": r"""
core::ptr::drop_in_place<alloc::string::String> | /usr/bin/app
core::fmt::write | /usr/bin/app
alloc::vec::Vec<T,A>::push | /usr/bin/app
std::rt::lang_start | /usr/bin/app
std::rt::lang_start::{{closure}} | /usr/bin/app
std::sys::backtrace::__rust_begin_short_backtrace | /usr/bin/app
std::panicking::try | /usr/bin/app
std::io::Write::write_all | /usr/bin/app
std::collections::hash::map::HashMap<K,V,S>::insert | /usr/bin/app
<T as core::convert::Into<U>>::into | /usr/bin/app
<core::iter::adapters::map::Map<I,F> as core::iter::traits::iterator::Iterator>::next | /usr/bin/app
<alloc::vec::Vec<T>>::push | /usr/bin/app
app::main::h0123456789abcdef | /usr/bin/app
app::work::{{closure}} | /usr/bin/app
app::work::{closure#0} | /usr/bin/app
<app[8d1f3ba]::Foo>::bar | /usr/bin/app
_ZN3app4main17h0123456789abcdefE | /usr/bin/app
_RNvCs1234_7mycrate3foo | /usr/bin/app
rust_begin_unwind | /usr/bin/app
__rust_alloc | /usr/bin/app
tokio::runtime::task::harness::poll_future | /usr/bin/app
hyper::proto::h1::dispatch::Dispatcher | /usr/bin/app
serde_json::de::from_str | /usr/bin/app
rayon_core::registry::WorkerThread::wait_until_cold | /usr/bin/app
hashbrown::raw::RawTable<T,A>::reserve_rehash | /usr/bin/app
core::slice::sort::merge | /usr/bin/node
std::thread::local::LocalKey<T>::with
<&T as core::fmt::Debug>::fmt
<&std::io::stdio::Stderr as std::io::Write>::write_all | /usr/bin/node
temporal_rs::builtins::core::instant::Instant::from_utf8 | /usr/bin/node
app::date::<impl core::convert::TryFrom<app::Partial> for app::Date>::try_from | /usr/bin/app
std::rt::lang_start::<()>::{closure#0} | /usr/bin/app
words::apply::<words::main::{closure#1}> | /usr/bin/app
""",
    "python": r"""
py::main:/srv/app.py | /tmp/perf-7.map
py::<module>:/srv/app.py | /tmp/perf-7.map
py::_find_and_load:<frozen importlib._bootstrap> | /tmp/perf-7.map
py::main:/srv/app.py
py::main:/srv/app.py_[j]
_PyEval_EvalFrameDefault | /usr/bin/python3.11
_PyEval_EvalFrameDefault | /usr/lib/libpython3.11.so.1.0
list_sort | /usr/lib/libpython3.11.so.1.0
dictresize | /usr/bin/python3.12
main | /opt/py/bin/python
scanner_call | /usr/lib/python3.11/lib-dynload/_json.cpython-311-x86_64-linux-gnu.so
PyObject_Call | /opt/app/embedded
_PyEval_EvalFrameDefault
Py_RunMain
pymain_run_python
[ ./f.py:3 (func_c) ] | libpython2.4.so.1.0
[ ./f.py:3 (func_c) ]
_py_trampoline_start
_PyErr_CheckSignalsTstate@plt | /usr/lib/libpython3.12.so.1.0
encoder_listencode_obj.isra.0 | /usr/lib/python3.12/lib-dynload/_json.cpython-312-x86_64-linux-gnu.so
""",
    "unresolved": r"""
| /usr/bin/app
| /tmp/perf-7.map
| /usr/lib/libc.so.6
| [vdso]
|
[unknown] | /usr/bin/app
[unknown] | [unknown]
[unknown] | //anon
(program)
(idle)
[unknown]
[app] | /usr/bin/app
[app] | /usr/bin/app (deleted)
[app <1f40>] | /usr/bin/app
[libc.so.6] | /usr/lib/libc.so.6
[perf-7.map] | /tmp/perf-7.map
[perf-7.map]
[libfoo.so]
[unknown <7f12>]
[unknown]_[j]
0x7fff8a1b2c3d | libfoo.so
0x7fff8a1b2c3d
??
node`0x12f4a0
libfoo.so`??
0xfffffe0001
""",
}


def rows() -> list[tuple[str, bytes | None, bytes | None, int]]:
    found = []
    for expected, text in FRAMES.items():
        for line in text.strip("\n").splitlines():
            fields = [field.strip().encode() for field in f" {line} ".split(" | ")]
            module = fields[1] if len(fields) > 1 and fields[1] else None
            kind = KINDS[fields[2].decode()] if len(fields) > 2 else kind_of_module(module)
            found.append((expected, fields[0] or None, module, kind))
    return found


ROWS = rows()


def test_the_lists_hold_every_class() -> None:
    assert [expected for expected in CLASSES if expected != "none"] == list(FRAMES)
    assert len(ROWS) > 400
    assert len(set(ROWS)) == len(ROWS)


@pytest.mark.parametrize("expected", FRAMES)
def test_class(expected: str) -> None:
    wrong = [
        (name, module, kind, found)
        for row_class, name, module, kind in ROWS
        if row_class == expected and (found := frame_class(name, module, kind)) != expected
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("name", "tier"),
    [
        (b"JS:~f /a.js:1:2", 1),
        (b"JS:^f /a.js:1:2", 2),
        (b"JS:+f /a.js:1:2", 3),
        (b"JS:*f /a.js:1:2", 4),
        (b"JS:*'f /a.js:1:2", 0x24),
        (b"JS:o*f /a.js:1:2", 0x14),
        (b"JS:o+'f /a.js:1:2", 0x33),
        (b"InterpretedFunction:f /a.js:1", 1),
        (b"LazyCompile: f /a.js:1", 0),
        (b"RegExp:^f", 0),
        (b"Builtin:~f", 0),
        (b"*f /a.js:1:2", 4),
        (b"fib", 0),
        (None, 0),
    ],
)
def test_tier_travels_with_the_class(name: bytes | None, tier: int) -> None:
    assert class_and_tier(name, b"/tmp/perf-7.map", 2)[1] == tier


def test_no_tier_outside_javascript() -> None:
    assert class_and_tier(b"JS:*f /a.js:1:2", b"[kernel.kallsyms]", 1) == (CLASSES.index("kernel"), 0)
    assert class_and_tier(b"Foo:*f /a.js:1:2", b"/usr/bin/app", 0) == (CLASSES.index("cpp"), 0)


def test_every_name_has_a_class_whatever_is_in_it() -> None:
    choice = random.Random(11)
    pieces = [name for _, name, _, _ in ROWS if name]
    modules = [None, b"", *{module for _, _, module, _ in ROWS}]
    for _ in range(30_000):
        first, second = choice.choice(pieces), choice.choice(pieces)
        name = first[: choice.randrange(len(first) + 1)] + second[choice.randrange(len(second) + 1) :]
        found, tier = class_and_tier(name, choice.choice(modules), choice.randrange(5))
        assert 1 <= found < len(CLASSES)
        assert tier & 0x0F <= 5


@pytest.mark.parametrize("unit", [b"(", b"<", b" v8", b"a/", b"[INIT", b"{closure", b"node_modules", b": ", b"JS:* /"])
def test_long_names_take_linear_time(unit: bytes) -> None:
    name = (b"JS:*" + unit * 200_000)[:1_000_000]
    start = time.process_time()
    class_and_tier(name, None, 2)
    class_and_tier(name[4:], None, 0)
    assert time.process_time() - start < 0.5


# `symbol | module` by preset; the frames of one list fall under no other preset, but for those of the last.
PRESETS = {
    "libc-start": r"""
__libc_start_main | /usr/lib/libc.so.6
__libc_start_call_main | /usr/lib/libc.so.6
__libc_start_main@@GLIBC_2.34 | /usr/lib/libc.so.6
__libc_start_main
libc.so.6`__libc_start_main
""",
    "v8-internals": r"""
v8::internal::Heap::Scavenge | /usr/bin/node
v8::internal::(anonymous namespace)::Invoke | /usr/bin/node
v8::internal::Builtin_HandleApiCall | /usr/bin/node
void v8::internal::Visitor<int>::Visit(v8::internal::HeapObject) | /usr/bin/node
non-virtual thunk to v8::internal::CancelableTask::Run() | /usr/bin/node
_ZN2v88internal4Heap8ScavengeEv | /usr/bin/node
_ZNK2v88internal6String6LengthEv | /usr/bin/node
v8::internal::Runtime_StackGuard
node`v8::internal::Heap::Scavenge
""",
    "builtins": r"""
Builtin:ArrayPush | /tmp/perf-7.map
Builtin:InterpreterEntryTrampoline | /tmp/perf-7.map
Builtin:ArrayPush
Builtins_ArrayMap | /usr/bin/node
Builtins_JSEntry | /usr/bin/node
Builtins_InterpreterEntryTrampoline | /usr/bin/node
Builtins_CEntry_Return1_ArgvOnStack_NoBuiltinExit | /usr/lib/libnode.so.108
Builtins_ArrayMap
node`Builtins_ArrayMap
LazyCompile: | /tmp/perf-7.map
<< adaptor >>
""",
    "stubs": r"""
Stub:CEntryStub | /tmp/perf-7.map
Stub:js-to-wasm:i:i | /tmp/perf-7.map
""",
    "ics": r"""
LoadIC:A load IC from the snapshot | /tmp/perf-7.map
LoadPolymorphicIC:x | /tmp/perf-7.map
KeyedStoreIC:A keyed store IC from the snapshot | /tmp/perf-7.map
Handler:length | /tmp/perf-7.map
""",
    "unknown": r"""
[unknown] | /usr/bin/node
[unknown] | /tmp/perf-7.map
[unknown] | [kernel.kallsyms]
0x7fff8a1b2c3d
| /usr/bin/node
""",
    "preload": r"""
JS:~ /usr/lib/node_modules/0x/lib/preload/soft-exit.js:1:1 | /tmp/perf-7.map
LazyCompile:* /app/node_modules/0x/lib/preload/no-cluster.js:1 | /tmp/perf-7.map
JS:~f /opt/0x/lib/preload/redir-stdout.js:1:1 | /tmp/perf-7.map
JS:~loadPreloadModules node:internal/process/pre_execution:736:28 | /tmp/perf-7.map
LazyCompile:~loadPreloadModules internal/bootstrap/pre_execution.js:466 | /tmp/perf-7.map
LazyCompile:~preloadModules bootstrap_node.js:486 | /tmp/perf-7.map
JS:~Module._preloadModules node:internal/modules/cjs/loader:1767:34 | /tmp/perf-7.map
LazyCompile:~Module._preloadModules module.js:738 | /tmp/perf-7.map
*Module._preloadModules node:internal/modules/cjs/loader:1767:34
""",
    "": r"""
_start | /usr/bin/node
start_thread | /usr/lib/libc.so.6
clone3 | /usr/lib/libc.so.6
__libc_csu_init | /usr/bin/node
v8::Function::Call | /usr/bin/node
v8::base::Mutex::Lock | /usr/bin/node
cppgc::internal::Sweeper::Start | /usr/bin/node
heap::base::Stack::Run<v8::internal::Heap, v8::internal::Visitor> | /usr/bin/node
std::vector<int, v8::internal::ZoneAllocator<int> >::push_back | /usr/bin/node
node::Foo(v8::internal::Isolate*, v8::internal::Heap*) | /usr/bin/node
Builtins_LdarHandler | /usr/bin/node
BytecodeHandler:Ldar | /tmp/perf-7.map
RegExp:^a | /tmp/perf-7.map
JS:*fib /app/cpu.js:4:14 | /tmp/perf-7.map
LazyCompile:*fib /app/cpu.js:4 | /tmp/perf-7.map
LazyCompile: :1 | /tmp/perf-7.map
JS:*preloadModules /app/cpu.js:4:14 | /tmp/perf-7.map
JS:*f /app/lib/preload/x.js:4:14 | /tmp/perf-7.map
JS:*Builtin:x /app/cpu.js:4:14 | /tmp/perf-7.map
__libc_start_main | [kernel.kallsyms]
(program)
(idle)
uv_run | /usr/bin/node
main | /usr/bin/node
""",
    "builtins ics": r"""
Builtins_LoadIC | /usr/bin/node
Builtins_KeyedStoreIC_Megamorphic | /usr/bin/node
Builtins_DefineKeyedOwnIC | /usr/bin/node
Builtins_LoadGlobalICTrampoline | /usr/bin/node
Builtins_StoreInArrayLiteralICBaseline | /usr/bin/node
Builtin:KeyedLoadIC_Megamorphic | /tmp/perf-7.map
""",
}


@pytest.mark.parametrize("presets", PRESETS)
def test_presets(presets: str) -> None:
    wrong = []
    for line in PRESETS[presets].strip("\n").splitlines():
        symbol, _, module = (field.strip().encode() for field in f" {line}".partition(" | "))
        found = frame_filters(symbol, module or None, kind_of_module(module or None))
        if found != set(presets.split()):
            wrong.append((symbol, module, found))
    assert wrong == []


def test_the_presets_of_a_filter() -> None:
    assert {name for names in PRESETS for name in names.split()} == set(FILTERS) - {"0x"}
    assert sum(bit for name, bit in FILTERS.items() if name not in ("0x", "preload")) == FILTERS["0x"]
    assert FILTERS["preload"] & FILTERS["0x"] == 0


def test_a_frame_takes_microseconds() -> None:
    frames = [(name, module, kind) for _, name, module, kind in ROWS] * 100
    start = time.process_time()
    for frame in frames:
        class_and_tier(*frame)
    assert (time.process_time() - start) / len(frames) < 10e-6
