"""What a frame is to the person who reads the picture: whose JavaScript, which part of the runtime, or no JavaScript.

Decided by the frame's kind (from its mapping), then by V8's own names, then by module, then by symbol; the first that
knows wins. So kernel frames are the kernel's whatever they are called, and ``Builtins_*`` of the node binary are V8's.
The rules are tables of beginnings of names, each with its class.
"""

from libc.stdint cimport uint8_t
from libc.string cimport memchr, memcmp

from flameparse.frames.kind cimport basename_offset, module_size
from flameparse.frames.symbol_text cimport begins_with, contains, ends_with, is_unknown, is_word
from flameparse.frames.v8_name cimport (
    NO_PLACE,
    V8_BUILTIN,
    V8_BYTECODE_HANDLER,
    V8_IC,
    V8_NONE,
    V8_REGEXP,
    V8_STUB,
    V8_UNKNOWN_TAG,
    V8_WASM,
    V8Name,
    parse_bare_function,
    parse_v8_name,
)
from flameparse.model.frame_table cimport KIND_INLINED, KIND_JIT, KIND_KERNEL, KIND_USER

cdef extern from *:
    """
    struct fp_beginning { const char *text; unsigned char length, frame_class; };
    #define FP_BEGINS(text, frame_class) {text, sizeof(text) - 1, frame_class}

    /* Base names of modules. */
    static const struct fp_beginning FP_MODULES[] = {
        FP_BEGINS("libuv.", 11), FP_BEGINS("libuv-", 11),
        FP_BEGINS("libssl.", 12), FP_BEGINS("libssl-", 12), FP_BEGINS("libcrypto.", 12), FP_BEGINS("libcrypto-", 12),
        FP_BEGINS("libssl3.", 12), FP_BEGINS("libboringssl", 12),
        FP_BEGINS("libc.so", 13), FP_BEGINS("libc-2.", 13), FP_BEGINS("libc.musl", 13), FP_BEGINS("libpthread", 13),
        FP_BEGINS("ld-linux", 13), FP_BEGINS("ld-2.", 13), FP_BEGINS("ld-musl", 13), FP_BEGINS("ld.so", 13),
        FP_BEGINS("ld64.so", 13), FP_BEGINS("libm.so", 13), FP_BEGINS("libm-2.", 13), FP_BEGINS("libdl.so", 13),
        FP_BEGINS("libdl-2.", 13), FP_BEGINS("librt.so", 13), FP_BEGINS("librt-2.", 13), FP_BEGINS("libresolv", 13),
        FP_BEGINS("libnss_", 13), FP_BEGINS("libmvec", 13), FP_BEGINS("libthr.so", 13), FP_BEGINS("libsystem_", 13),
        FP_BEGINS("libSystem.", 13), FP_BEGINS("libdyld.", 13), FP_BEGINS("libc.dylib", 13), FP_BEGINS("[vdso", 13),
        FP_BEGINS("[vsyscall", 13), FP_BEGINS("linux-vdso", 13), FP_BEGINS("linux-gate", 13),
        FP_BEGINS("libv8", 9),
        FP_BEGINS("libjvm.", 17), FP_BEGINS("libjava.", 17),
        FP_BEGINS("libpython", 20), FP_BEGINS("python2", 20), FP_BEGINS("python3", 20),
    };
    #define FP_MODULE_COUNT (sizeof(FP_MODULES) / sizeof(FP_MODULES[0]))

    /* Symbols that say enough in any module of user space. */
    static const struct fp_beginning FP_SYMBOLS[] = {
        FP_BEGINS("uv_", 11),
        FP_BEGINS("SSL_", 12), FP_BEGINS("EVP_", 12), FP_BEGINS("OPENSSL_", 12), FP_BEGINS("OSSL_", 12),
        FP_BEGINS("ossl_", 12), FP_BEGINS("CRYPTO_", 12), FP_BEGINS("BN_", 12), FP_BEGINS("bn_mul", 12),
        FP_BEGINS("bn_sqr", 12), FP_BEGINS("bn_power5", 12), FP_BEGINS("bn_from_mont", 12), FP_BEGINS("RSA_", 12),
        FP_BEGINS("rsaz_", 12), FP_BEGINS("DSA_", 12), FP_BEGINS("DH_", 12), FP_BEGINS("EC_", 12),
        FP_BEGINS("ECDSA_", 12), FP_BEGINS("ECDH_", 12), FP_BEGINS("ecp_nistz256_", 12), FP_BEGINS("X509_", 12),
        FP_BEGINS("X509v3_", 12), FP_BEGINS("ASN1_", 12), FP_BEGINS("asn1_", 12), FP_BEGINS("d2i_", 12),
        FP_BEGINS("i2d_", 12), FP_BEGINS("BIO_", 12), FP_BEGINS("ERR_", 12), FP_BEGINS("PEM_", 12),
        FP_BEGINS("PKCS5_", 12), FP_BEGINS("PKCS7_", 12), FP_BEGINS("PKCS8_", 12), FP_BEGINS("PKCS12_", 12),
        FP_BEGINS("CMS_", 12), FP_BEGINS("OCSP_", 12), FP_BEGINS("ENGINE_", 12), FP_BEGINS("RAND_", 12),
        FP_BEGINS("HMAC_", 12), FP_BEGINS("MD5_", 12), FP_BEGINS("SHA1_", 12), FP_BEGINS("SHA224_", 12),
        FP_BEGINS("SHA256_", 12), FP_BEGINS("SHA384_", 12), FP_BEGINS("SHA512_", 12), FP_BEGINS("AES_", 12),
        FP_BEGINS("DES_", 12), FP_BEGINS("aesni_", 12), FP_BEGINS("vpaes_", 12), FP_BEGINS("bsaes_", 12),
        FP_BEGINS("gcm_ghash_", 12), FP_BEGINS("gcm_gmult_", 12), FP_BEGINS("md5_block_", 12),
        FP_BEGINS("sha1_block_", 12), FP_BEGINS("sha256_block_", 12), FP_BEGINS("sha512_block_", 12),
        FP_BEGINS("sha1_multi_block", 12), FP_BEGINS("sha256_multi_block", 12), FP_BEGINS("ChaCha20_", 12),
        FP_BEGINS("poly1305_", 12), FP_BEGINS("x25519_", 12), FP_BEGINS("KeccakF1600", 12), FP_BEGINS("SHA3_", 12),
        FP_BEGINS("tls_construct_", 12), FP_BEGINS("tls_process_", 12), FP_BEGINS("tls13_", 12),
        FP_BEGINS("tls1_", 12), FP_BEGINS("ssl3_", 12), FP_BEGINS("dtls1_", 12), FP_BEGINS("evp_", 12),
        FP_BEGINS("OBJ_", 12), FP_BEGINS("CONF_", 12), FP_BEGINS("openssl_", 12),
        FP_BEGINS("__libc_start_", 13), FP_BEGINS("__libc_csu_", 13), FP_BEGINS("__GI_", 13),
        FP_BEGINS("_dl_", 13), FP_BEGINS("__clone", 13), FP_BEGINS("clone3", 13), FP_BEGINS("_pthread_start", 13),
        FP_BEGINS("__memmove_", 13), FP_BEGINS("__memcpy_", 13), FP_BEGINS("__memset_", 13),
        FP_BEGINS("__memcmp_", 13), FP_BEGINS("__memchr_", 13), FP_BEGINS("__strlen_", 13),
        FP_BEGINS("__strcmp_", 13), FP_BEGINS("__strchr_", 13), FP_BEGINS("_int_malloc", 13),
        FP_BEGINS("_int_free", 13), FP_BEGINS("_int_realloc", 13), FP_BEGINS("malloc_consolidate", 13),
        FP_BEGINS("__lll_lock_", 13), FP_BEGINS("__pthread_", 13), FP_BEGINS("pthread_", 13),
        FP_BEGINS("__vdso_", 13),
        FP_BEGINS("v8_", 9), FP_BEGINS("_ZN2v8", 9), FP_BEGINS("_ZNK2v8", 9), FP_BEGINS("_ZN5cppgc", 9),
        FP_BEGINS("JVM_", 17), FP_BEGINS("JavaThread::", 17), FP_BEGINS("JavaCalls::", 17), FP_BEGINS("JavaMain", 17),
        FP_BEGINS("Unsafe_", 17), FP_BEGINS("Java_", 17), FP_BEGINS("GCTaskThread::", 17),
        FP_BEGINS("CompileBroker::", 17), FP_BEGINS("InstanceKlass::", 17), FP_BEGINS("SharedRuntime::", 17),
        FP_BEGINS("py::", 20), FP_BEGINS("_PyEval_", 20), FP_BEGINS("PyEval_", 20), FP_BEGINS("PyObject_", 20),
        FP_BEGINS("_PyObject_", 20), FP_BEGINS("_PyFunction_", 20), FP_BEGINS("PyRun_", 20), FP_BEGINS("_PyRun_", 20),
        FP_BEGINS("Py_RunMain", 20), FP_BEGINS("Py_BytesMain", 20), FP_BEGINS("Py_Main", 20),
        FP_BEGINS("pymain_", 20), FP_BEGINS("PyImport_", 20), FP_BEGINS("PyUnicode_", 20), FP_BEGINS("PyDict_", 20),
        FP_BEGINS("PyList_", 20), FP_BEGINS("PyLong_", 20), FP_BEGINS("PyVectorcall_", 20),
        FP_BEGINS("_PyVectorcall_", 20), FP_BEGINS("PyGC_", 20), FP_BEGINS("_PyGC_", 20),
        FP_BEGINS("_PyTrampoline", 20), FP_BEGINS("_py_trampoline_", 20), FP_BEGINS("py_trampoline_", 20),
        FP_BEGINS("_cgo_", 18), FP_BEGINS("x_cgo_", 18), FP_BEGINS("crosscall2", 18),
        FP_BEGINS("rust_", 19), FP_BEGINS("__rust_", 19), FP_BEGINS("__rustc", 19), FP_BEGINS("___rust_", 19),
    };
    #define FP_SYMBOL_COUNT (sizeof(FP_SYMBOLS) / sizeof(FP_SYMBOLS[0]))

    /* Symbols that need no module to be known by: whole names. */
    static const struct fp_beginning FP_BARE_SYMBOLS[] = {
        FP_BEGINS("malloc", 13), FP_BEGINS("calloc", 13), FP_BEGINS("realloc", 13), FP_BEGINS("free", 13),
        FP_BEGINS("memcpy", 13), FP_BEGINS("memmove", 13), FP_BEGINS("memset", 13), FP_BEGINS("memcmp", 13),
        FP_BEGINS("memchr", 13), FP_BEGINS("strlen", 13), FP_BEGINS("strcmp", 13), FP_BEGINS("read", 13),
        FP_BEGINS("__read", 13), FP_BEGINS("write", 13), FP_BEGINS("__write", 13), FP_BEGINS("writev", 13),
        FP_BEGINS("open64", 13), FP_BEGINS("__open64", 13), FP_BEGINS("epoll_wait", 13), FP_BEGINS("epoll_pwait", 13),
        FP_BEGINS("epoll_ctl", 13), FP_BEGINS("poll", 13), FP_BEGINS("__poll", 13), FP_BEGINS("select", 13),
        FP_BEGINS("syscall", 13), FP_BEGINS("mmap", 13), FP_BEGINS("__mmap", 13), FP_BEGINS("munmap", 13),
        FP_BEGINS("madvise", 13), FP_BEGINS("__madvise", 13), FP_BEGINS("mprotect", 13),
        FP_BEGINS("__mprotect", 13), FP_BEGINS("clock_gettime", 13), FP_BEGINS("gettimeofday", 13),
        FP_BEGINS("nanosleep", 13), FP_BEGINS("clone", 13), FP_BEGINS("sysmalloc", 13), FP_BEGINS("qsort", 13),
        FP_BEGINS("exit", 13), FP_BEGINS("__run_exit_handlers", 13),
        FP_BEGINS("Interpreter", 17), FP_BEGINS("call_stub", 17), FP_BEGINS("jni_invoke_static", 17),
        FP_BEGINS("thread_native_entry", 17), FP_BEGINS("vtable stub", 17), FP_BEGINS("itable stub", 17),
        FP_BEGINS("(garbage collector)", 9),
        FP_BEGINS("entry_SYSCALL_64", 15), FP_BEGINS("entry_SYSCALL_64_after_hwframe", 15),
        FP_BEGINS("entry_SYSCALL_64_fastpath", 15), FP_BEGINS("do_syscall_64", 15), FP_BEGINS("x64_sys_call", 15),
        FP_BEGINS("syscall_exit_to_user_mode", 15), FP_BEGINS("exit_to_user_mode_prepare", 15),
        FP_BEGINS("do_softirq", 15), FP_BEGINS("__do_softirq", 15), FP_BEGINS("handle_mm_fault", 15),
        FP_BEGINS("do_user_addr_fault", 15), FP_BEGINS("exc_page_fault", 15), FP_BEGINS("schedule", 15),
        FP_BEGINS("__schedule", 15), FP_BEGINS("kthread", 15), FP_BEGINS("cpu_startup_entry", 15),
        FP_BEGINS("do_idle", 15), FP_BEGINS("invoke_syscall", 15), FP_BEGINS("el0_svc", 15), FP_BEGINS("vfs_read", 15),
        FP_BEGINS("vfs_write", 15), FP_BEGINS("ksys_read", 15), FP_BEGINS("ksys_write", 15),
        FP_BEGINS("do_epoll_wait", 15), FP_BEGINS("native_safe_halt", 15), FP_BEGINS("ret_from_fork_asm", 15),
        FP_BEGINS("ret_from_fork", 15), FP_BEGINS("secondary_startup_64_no_verify", 15),
    };
    #define FP_BARE_SYMBOL_COUNT (sizeof(FP_BARE_SYMBOLS) / sizeof(FP_BARE_SYMBOLS[0]))

    /* The kernel's, where the input names no module: beginnings. */
    static const struct fp_beginning FP_KERNEL_SYMBOLS[] = {
        FP_BEGINS("__x64_sys_", 15), FP_BEGINS("__ia32_sys_", 15), FP_BEGINS("__arm64_sys_", 15),
        FP_BEGINS("__se_sys_", 15), FP_BEGINS("__do_sys_", 15), FP_BEGINS("asm_sysvec_", 15),
        FP_BEGINS("asm_exc_", 15), FP_BEGINS("asm_common_", 15), FP_BEGINS("sysvec_", 15), FP_BEGINS("el0t_64_", 15),
        FP_BEGINS("el1h_64_", 15), FP_BEGINS("finish_task_switch", 15), FP_BEGINS("bpf_prog_", 15),
        FP_BEGINS("bpf_trampoline_", 15),
    };
    #define FP_KERNEL_SYMBOL_COUNT (sizeof(FP_KERNEL_SYMBOLS) / sizeof(FP_KERNEL_SYMBOLS[0]))

    /* Modules of kernels that DTrace runs on; whole names, without a folder. */
    static const struct fp_beginning FP_KERNEL_MODULES[] = {
        FP_BEGINS("unix", 15), FP_BEGINS("genunix", 15), FP_BEGINS("mach_kernel", 15), FP_BEGINS("kernel", 15),
        FP_BEGINS("kernel.development", 15), FP_BEGINS("kernel.release", 15), FP_BEGINS("zfs", 15),
        FP_BEGINS("vmlinux", 15), FP_BEGINS("ufs", 15), FP_BEGINS("ip", 15), FP_BEGINS("tcp", 15),
        FP_BEGINS("sockfs", 15), FP_BEGINS("specfs", 15), FP_BEGINS("lofs", 15),
        FP_BEGINS("cpu.generic", 15),
    };
    #define FP_KERNEL_MODULE_COUNT (sizeof(FP_KERNEL_MODULES) / sizeof(FP_KERNEL_MODULES[0]))

    /* Crates, and the modules of Rust's standard library; C++ shares none of these beginnings but `std::`. */
    static const struct fp_beginning FP_RUST_PATHS[] = {
        FP_BEGINS("core::ptr::", 19), FP_BEGINS("core::fmt::", 19), FP_BEGINS("core::ops::", 19),
        FP_BEGINS("core::iter::", 19), FP_BEGINS("core::slice::", 19), FP_BEGINS("core::str::", 19),
        FP_BEGINS("core::option::", 19), FP_BEGINS("core::result::", 19), FP_BEGINS("core::mem::", 19),
        FP_BEGINS("core::cmp::", 19), FP_BEGINS("core::hash::", 19), FP_BEGINS("core::num::", 19),
        FP_BEGINS("core::cell::", 19), FP_BEGINS("core::array::", 19), FP_BEGINS("core::char::", 19),
        FP_BEGINS("core::panicking::", 19), FP_BEGINS("core::future::", 19), FP_BEGINS("core::task::", 19),
        FP_BEGINS("core::any::", 19), FP_BEGINS("core::clone::", 19), FP_BEGINS("core::convert::", 19),
        FP_BEGINS("core::sync::", 19), FP_BEGINS("core::time::", 19), FP_BEGINS("core::intrinsics::", 19),
        FP_BEGINS("core::default::", 19), FP_BEGINS("core::pin::", 19), FP_BEGINS("core::unicode::", 19),
        FP_BEGINS("core::alloc::", 19), FP_BEGINS("core::hint::", 19), FP_BEGINS("core::core_arch::", 19),
        FP_BEGINS("alloc::vec::", 19), FP_BEGINS("alloc::string::", 19), FP_BEGINS("alloc::boxed::", 19),
        FP_BEGINS("alloc::rc::", 19), FP_BEGINS("alloc::sync::", 19), FP_BEGINS("alloc::raw_vec::", 19),
        FP_BEGINS("alloc::alloc::", 19), FP_BEGINS("alloc::collections::", 19), FP_BEGINS("alloc::slice::", 19),
        FP_BEGINS("alloc::str::", 19), FP_BEGINS("alloc::fmt::", 19), FP_BEGINS("alloc::borrow::", 19),
        FP_BEGINS("std::rt::", 19), FP_BEGINS("std::panicking::", 19), FP_BEGINS("std::panic::", 19),
        FP_BEGINS("std::sys::", 19), FP_BEGINS("std::sys_common::", 19), FP_BEGINS("std::backtrace::", 19),
        FP_BEGINS("std::io::", 19), FP_BEGINS("std::fs::", 19), FP_BEGINS("std::path::", 19),
        FP_BEGINS("std::process::", 19), FP_BEGINS("std::env::", 19), FP_BEGINS("std::collections::", 19),
        FP_BEGINS("std::ffi::", 19), FP_BEGINS("std::os::", 19), FP_BEGINS("std::net::", 19),
        FP_BEGINS("std::sync::", 19), FP_BEGINS("std::alloc::", 19), FP_BEGINS("std::time::", 19),
        FP_BEGINS("std::thread::local", 19), FP_BEGINS("std::thread::spawn", 19),
        FP_BEGINS("std::thread::Builder", 19), FP_BEGINS("std::thread::lifecycle", 19),
        FP_BEGINS("std::thread::current", 19), FP_BEGINS("std::thread::Thread", 19),
        FP_BEGINS("tokio::", 19), FP_BEGINS("hyper::", 19), FP_BEGINS("serde::", 19), FP_BEGINS("serde_json::", 19),
        FP_BEGINS("rayon::", 19), FP_BEGINS("rayon_core::", 19), FP_BEGINS("hashbrown::", 19),
        FP_BEGINS("futures_util::", 19), FP_BEGINS("futures_executor::", 19), FP_BEGINS("parking_lot::", 19),
        FP_BEGINS("parking_lot_core::", 19), FP_BEGINS("crossbeam_", 19), FP_BEGINS("regex_automata::", 19),
        FP_BEGINS("mio::", 19),
    };
    #define FP_RUST_PATH_COUNT (sizeof(FP_RUST_PATHS) / sizeof(FP_RUST_PATHS[0]))

    /* Packages of Go's standard library without and with a slash in the path. */
    static const struct fp_beginning FP_GO_PACKAGES[] = {
        FP_BEGINS("runtime.", 18), FP_BEGINS("main.", 18), FP_BEGINS("sync.", 18), FP_BEGINS("syscall.", 18),
        FP_BEGINS("net.", 18), FP_BEGINS("os.", 18), FP_BEGINS("fmt.", 18), FP_BEGINS("time.", 18),
        FP_BEGINS("strings.", 18), FP_BEGINS("bytes.", 18), FP_BEGINS("reflect.", 18), FP_BEGINS("sort.", 18),
        FP_BEGINS("math.", 18), FP_BEGINS("bufio.", 18), FP_BEGINS("context.", 18), FP_BEGINS("io.", 18),
        FP_BEGINS("strconv.", 18), FP_BEGINS("errors.", 18), FP_BEGINS("regexp.", 18), FP_BEGINS("unicode.", 18),
        FP_BEGINS("slices.", 18), FP_BEGINS("maps.", 18), FP_BEGINS("type:.", 18), FP_BEGINS("type..", 18),
        FP_BEGINS("go:", 18), FP_BEGINS("aeshashbody", 18), FP_BEGINS("memeqbody", 18),
        FP_BEGINS("gcWriteBarrier", 18),
    };
    #define FP_GO_PACKAGE_COUNT (sizeof(FP_GO_PACKAGES) / sizeof(FP_GO_PACKAGES[0]))
    static const struct fp_beginning FP_GO_FOLDERS[] = {
        FP_BEGINS("net/", 18), FP_BEGINS("internal/", 18), FP_BEGINS("sync/", 18), FP_BEGINS("os/", 18),
        FP_BEGINS("io/", 18), FP_BEGINS("encoding/", 18), FP_BEGINS("crypto/", 18), FP_BEGINS("math/", 18),
        FP_BEGINS("path/", 18), FP_BEGINS("runtime/", 18), FP_BEGINS("go/", 18), FP_BEGINS("text/", 18),
        FP_BEGINS("html/", 18), FP_BEGINS("compress/", 18), FP_BEGINS("container/", 18), FP_BEGINS("database/", 18),
        FP_BEGINS("archive/", 18), FP_BEGINS("hash/", 18), FP_BEGINS("image/", 18), FP_BEGINS("index/", 18),
        FP_BEGINS("log/", 18), FP_BEGINS("mime/", 18), FP_BEGINS("unicode/", 18), FP_BEGINS("testing/", 18),
        FP_BEGINS("vendor/", 18), FP_BEGINS("cmd/", 18), FP_BEGINS("regexp/", 18),
    };
    #define FP_GO_FOLDER_COUNT (sizeof(FP_GO_FOLDERS) / sizeof(FP_GO_FOLDERS[0]))

    /* Java packages, as the JVM and as Java's own texts write them. */
    static const struct fp_beginning FP_JAVA_PACKAGES[] = {
        FP_BEGINS("java/", 17), FP_BEGINS("javax/", 17), FP_BEGINS("jdk/", 17), FP_BEGINS("sun/", 17),
        FP_BEGINS("com/", 17), FP_BEGINS("org/", 17), FP_BEGINS("scala/", 17), FP_BEGINS("kotlin/", 17),
        FP_BEGINS("akka/", 17), FP_BEGINS("io/netty/", 17),
        FP_BEGINS("java.", 17), FP_BEGINS("javax.", 17), FP_BEGINS("jdk.", 17), FP_BEGINS("sun.", 17),
        FP_BEGINS("com.", 17), FP_BEGINS("org.", 17), FP_BEGINS("scala.", 17), FP_BEGINS("kotlin.", 17),
        FP_BEGINS("akka.", 17), FP_BEGINS("io.netty.", 17),
    };
    #define FP_JAVA_PACKAGE_COUNT (sizeof(FP_JAVA_PACKAGES) / sizeof(FP_JAVA_PACKAGES[0]))
    """
    struct Beginning "fp_beginning":
        const char* text
        unsigned char length
        unsigned char frame_class
    const Beginning* MODULES "FP_MODULES"
    const size_t MODULE_COUNT "FP_MODULE_COUNT"
    const Beginning* SYMBOLS "FP_SYMBOLS"
    const size_t SYMBOL_COUNT "FP_SYMBOL_COUNT"
    const Beginning* BARE_SYMBOLS "FP_BARE_SYMBOLS"
    const size_t BARE_SYMBOL_COUNT "FP_BARE_SYMBOL_COUNT"
    const Beginning* KERNEL_SYMBOLS "FP_KERNEL_SYMBOLS"
    const size_t KERNEL_SYMBOL_COUNT "FP_KERNEL_SYMBOL_COUNT"
    const Beginning* KERNEL_MODULES "FP_KERNEL_MODULES"
    const size_t KERNEL_MODULE_COUNT "FP_KERNEL_MODULE_COUNT"
    const Beginning* RUST_PATHS "FP_RUST_PATHS"
    const size_t RUST_PATH_COUNT "FP_RUST_PATH_COUNT"
    const Beginning* GO_PACKAGES "FP_GO_PACKAGES"
    const size_t GO_PACKAGE_COUNT "FP_GO_PACKAGE_COUNT"
    const Beginning* GO_FOLDERS "FP_GO_FOLDERS"
    const size_t GO_FOLDER_COUNT "FP_GO_FOLDER_COUNT"
    const Beginning* JAVA_PACKAGES "FP_JAVA_PACKAGES"
    const size_t JAVA_PACKAGE_COUNT "FP_JAVA_PACKAGE_COUNT"

CLASSES = (
    "none", "app", "deps", "core", "native", "inlined", "regexp", "wasm", "eval", "v8", "interpreter", "libuv",
    "openssl", "libc", "cpp", "kernel", "init", "jvm", "go", "rust", "python", "unresolved",
)

# The presets of `--filter` by name; `0x` is what 0x meant to hide.
FILTERS = {
    "libc-start": FILTER_LIBC_START,
    "v8-internals": FILTER_V8_INTERNALS,
    "builtins": FILTER_BUILTINS,
    "stubs": FILTER_STUBS,
    "ics": FILTER_ICS,
    "unknown": FILTER_UNKNOWN,
    "0x": (
        FILTER_LIBC_START | FILTER_V8_INTERNALS | FILTER_BUILTINS | FILTER_STUBS | FILTER_ICS | FILTER_UNKNOWN
    ),
}


cdef uint8_t classify_frame(
    const unsigned char* name, size_t size, const unsigned char* module, size_t module_len, bint has_module, int kind,
    V8Name* parsed,
) noexcept nogil:
    """Say what a frame is.

    Layout, `symbol (module)`::

        JS:*fib /app/cpu.js:4:14 (/tmp/perf-7.map)                   app; with node_modules/ in the path deps
        JS:~emit node:events:518:28                                  core, as `net.js:715` of Node 8
        LazyCompile:~sort native array.js:748                        native: JavaScript that was a part of V8
        JS:* :1:20    Eval:~ :1:1                                    eval
        Builtins_ArrayMap (node)   v8::internal::Heap::Scavenge()    v8
        Builtins_LdarHandler  Builtins_InterpreterEntryTrampoline    interpreter
        uv_run  SSL_read  malloc  __libc_start_main                  libuv  openssl  libc
        net/http.(*conn).serve   std::rt::lang_start   py::f:/a.py   go  rust  python
        [unknown] (/usr/bin/app)                                     unresolved

    Args:
        name: the symbol as recorded or as printed; any annotation of the collapsers may follow.
        size: its length in bytes; 0 for a frame without a symbol.
        module: the module as printed.
        module_len: its length in bytes.
        has_module: False where the input named none, as folded text.
        kind: its FrameKind.
        parsed: receives what V8's name says; `V8_NONE` when it is none.

    Returns:
        A FrameClass, never CLASS_NONE.
    """
    cdef size_t base = 0
    cdef size_t plain = size
    cdef uint8_t found
    cdef bint is_initial
    if has_module:
        module_len = module_size(module, module_len)
        base = basename_offset(module, module_len)
        has_module = module_len > 0 and not is_unknown(module, module_len)
    if kind == KIND_USER and size > 4 and ends_with(name, size, b"]") and begins_with(name + size - 4, 3, b"_["):
        # Folded text has no kinds, only what a collapser appended.
        if name[size - 2] == c"k":
            kind = KIND_KERNEL
        elif name[size - 2] == c"j":
            kind = KIND_JIT
        elif name[size - 2] == c"i":
            kind = KIND_INLINED
        plain = size - 4
    parsed.kind = V8_NONE
    parsed.tier = 0
    if kind == KIND_KERNEL or (
        has_module and base == 0 and exact_class(KERNEL_MODULES, KERNEL_MODULE_COUNT, module, module_len)
    ):
        return CLASS_KERNEL
    if kind == KIND_INLINED:
        return CLASS_INLINED
    size = plain
    if is_unresolved(name, size, module + base, module_len - base, has_module):
        return CLASS_UNRESOLVED
    is_initial = contains(name, size, b"[INIT]")
    if is_initial and ends_with(name, size, b"[INIT]"):
        size -= 6
        while size > 0 and name[size - 1] == c" ":
            size -= 1
    found = javascript_class(name, size, kind, has_module, parsed)
    if found:
        return CLASS_INIT if is_initial and found <= CLASS_NATIVE else found
    if is_initial and contains(name, size, b"js"):
        return CLASS_INIT
    if kind == KIND_JIT:
        return other_jit_class(name, size)
    if has_module:
        found = listed_class(MODULES, MODULE_COUNT, module + base, module_len - base)
        if found:
            return found
        if is_python_module(module + base, module_len - base) or contains(module, module_len, b"/lib-dynload/"):
            return CLASS_PYTHON
        if contains(module, module_len, b"/jvm/"):
            return CLASS_JVM
        if module_len - base == 4 and begins_with(module + base, 4, b"dyld"):
            return CLASS_LIBC
    return symbol_class(name, size, has_module)


cdef bint is_unresolved(
    const unsigned char* name, size_t size, const unsigned char* base, size_t base_len, bint has_module
) noexcept nogil:
    """Tell the names of frames without a symbol: `[unknown]`, `[libfoo.so]`, `[libfoo.so <1f40>]`, `0x7f..`, `??`."""
    cdef size_t i = 2
    if size == 0 or is_unknown(name, size):
        return True
    if size == 2 and name[0] == c"?" and name[1] == c"?":
        return True
    if begins_with(name, size, b"0x") and size > 2:
        while i < size and (c"0" <= name[i] <= c"9" or c"a" <= name[i] | 0x20 <= c"f"):
            i += 1
        return i == size
    if size < 3 or name[0] != c"[" or name[size - 1] != c"]" or name[1] == c" ":
        return False
    if begins_with(name, size, b"[unknown"):
        return True
    if not has_module:
        return memchr(name + 1, c"[", size - 1) is NULL
    if base_len == 0 or size < base_len + 2 or memcmp(name + 1, base, base_len) != 0:
        return False
    return size == base_len + 2 or name[base_len + 1] == c" "


cdef uint8_t javascript_class(
    const unsigned char* name, size_t size, int kind, bint has_module, V8Name* parsed
) noexcept nogil:
    """Classify what V8 named; CLASS_NONE for all else."""
    cdef bint may_be_bare = kind == KIND_JIT or not has_module
    if begins_with(name, size, b"Builtins_"):
        if ends_with(name, size, b"Handler") or begins_with(name + 9, size - 9, b"Interpreter"):
            return CLASS_INTERPRETER
        return CLASS_V8
    if not parse_v8_name(name, size, parsed) or (
        parsed.kind == V8_UNKNOWN_TAG and (not may_be_bare or (kind != KIND_JIT and parsed.line == NO_PLACE))
    ):
        parsed.kind = V8_NONE
        parsed.tier = 0
        if not may_be_bare or not parse_bare_function(name, size, parsed):
            return CLASS_NONE
    if parsed.kind == V8_REGEXP:
        return CLASS_REGEXP
    if parsed.kind == V8_WASM:
        return CLASS_WASM
    if parsed.kind == V8_BYTECODE_HANDLER:
        return CLASS_INTERPRETER
    if parsed.kind == V8_BUILTIN and begins_with(name + parsed.name_at, parsed.name_len, b"Interpreter"):
        return CLASS_INTERPRETER
    if parsed.kind == V8_BUILTIN or parsed.kind == V8_STUB or parsed.kind == V8_IC:
        return CLASS_V8
    if parsed.file_at == size:
        # A name that was cut short is somebody's function; Node 8 lists its builtins with nothing behind the tag.
        if parsed.kind == V8_UNKNOWN_TAG or (parsed.name_len == 0 and parsed.tier_len == 0):
            return CLASS_V8
        return CLASS_APP
    return file_class(name + parsed.file_at, parsed.file_len, parsed.column != NO_PLACE)


cdef uint8_t file_class(const unsigned char* file, size_t size, bint has_column) noexcept nogil:
    """Say whose JavaScript a file holds.

    Up to Node 14 the files of the core had no folder (`net.js`) or began with `internal/`; since then they begin with
    `node:`. V8 writes columns since Node 20, so a bare name with one is the application's.
    """
    if size == 0 or begins_with(file, size, b"evalmachine.<anonymous>") or begins_with(file, size, b"[eval"):
        return CLASS_EVAL
    if begins_with(file, size, b"native "):
        return CLASS_NATIVE
    if begins_with(file, size, b"node:") or begins_with(file, size, b"internal/"):
        return CLASS_CORE
    if begins_with(file, size, b"wasm://"):
        return CLASS_WASM
    if begins_with(file, size, b"v8/"):
        return CLASS_V8
    if contains(file, size, b"node_modules/") or contains(file, size, b"node_modules\\"):
        return CLASS_DEPS
    if (
        not has_column and ends_with(file, size, b".js")
        and memchr(file, c"/", size) is NULL and memchr(file, c"\\", size) is NULL
    ):
        return CLASS_CORE
    return CLASS_APP


cdef uint8_t other_jit_class(const unsigned char* name, size_t size) noexcept nogil:
    """Classify the code of other JITs; what is not known is somebody's program."""
    cdef uint8_t found
    if begins_with(name, size, b"py::"):
        return CLASS_PYTHON
    if is_java(name, size, True) or begins_with(name, size, b"StubRoutines") or begins_with(name, size, b"StubGen"):
        return CLASS_JVM
    found = exact_class(BARE_SYMBOLS, BARE_SYMBOL_COUNT, name, size)
    return found if found == CLASS_JVM or found == CLASS_V8 else CLASS_APP


cdef bint is_python_module(const unsigned char* base, size_t size) noexcept nogil:
    """Tell the interpreter where its file has no version: `python`, `Python`."""
    return size == 6 and (begins_with(base, size, b"python") or begins_with(base, size, b"Python"))


cdef uint8_t symbol_class(const unsigned char* name, size_t size, bint has_module) noexcept nogil:
    """Classify native code by its symbol."""
    cdef uint8_t found
    if is_rust(name, size):
        return CLASS_RUST
    found = listed_class(SYMBOLS, SYMBOL_COUNT, name, size)
    if found:
        return found
    if ends_with(name, size, b"_ossl_"):
        return CLASS_OPENSSL  # what OpenSSL calls its run-once initialisers
    if is_v8_function(name, size):
        return CLASS_V8
    if is_go(name, size):
        return CLASS_GO
    if is_java(name, size, False):
        return CLASS_JVM
    if is_python_helper(name, size):
        return CLASS_PYTHON
    if is_start(name, size):
        return CLASS_LIBC
    if not has_module:
        found = exact_class(BARE_SYMBOLS, BARE_SYMBOL_COUNT, name, size)
        if not found:
            found = listed_class(KERNEL_SYMBOLS, KERNEL_SYMBOL_COUNT, name, size)
        if found:
            return found
        if begins_with(name, size, b"StubRoutines ("):
            return CLASS_JVM
    return CLASS_CPP


cdef bint is_start(const unsigned char* name, size_t size) noexcept nogil:
    """Tell where the C library enters a process and its threads."""
    return (size == 6 and begins_with(name, size, b"_start")) or (
        size == 12 and (begins_with(name, size, b"start_thread") or begins_with(name, size, b"thread_start"))
    )


cdef bint is_v8_function(const unsigned char* name, size_t size) noexcept nogil:
    """Tell a C++ function of V8's, after whatever type it returns; `v8::` in arguments says nothing.

    Layout: `v8::internal::Heap::Scavenge`, `void v8::internal::Foo<int>::bar(v8::Isolate*)`, `cppgc::internal::Sweeper`
    """
    cdef size_t i
    cdef size_t depth = 0
    cdef unsigned char byte
    cdef bint is_word_start = True
    for i in range(size):
        byte = name[i]
        if depth == 0 and is_word_start and (
            begins_with(name + i, size - i, b"v8::") or begins_with(name + i, size - i, b"cppgc::")
            or begins_with(name + i, size - i, b"heap::base::")
        ):
            return True
        if byte == c"(" and depth == 0 and not begins_with(name + i, size - i, b"(anonymous namespace)"):
            return False
        if byte == c"<" or byte == c"(" or byte == c"[" or byte == c"{":
            depth += 1
        elif (byte == c">" or byte == c")" or byte == c"]" or byte == c"}") and depth:
            depth -= 1
        is_word_start = depth == 0 and byte == c" "
    return False


cdef bint is_rust(const unsigned char* name, size_t size) noexcept nogil:
    """Tell a Rust function, mangled, demangled with or without its hash, or by the path of a well-known crate."""
    cdef size_t i
    if size > 3 and name[0] == c"_" and name[1] == c"R" and memchr(b"NCMXYIp0123456789", name[2], 17) is not NULL:
        return True
    if size > 19 and begins_with(name + size - 19, 3, b"::h") and has_hash(name + size - 16):
        return True
    if size > 23 and begins_with(name, size, b"_ZN") and name[size - 1] == c"E" and (
        begins_with(name + size - 20, 3, b"17h") and has_hash(name + size - 17)
    ):
        return True
    if listed_class(RUST_PATHS, RUST_PATH_COUNT, name, size):
        return True
    if name[0] == c"<" and contains(name, size, b">::"):
        return True
    i = 0
    while i + 2 < size:
        if name[i] == c"{" and (
            begins_with(name + i, size - i, b"{{closure}}") or begins_with(name + i, size - i, b"{closure#")
            or begins_with(name + i, size - i, b"{impl#") or begins_with(name + i, size - i, b"{{vtable.shim}}")
            or begins_with(name + i, size - i, b"{shim:")
        ):
            return True
        i += 1
    return False


cdef bint has_hash(const unsigned char* text) noexcept nogil:
    """Tell 16 lower-case hex digits."""
    cdef size_t i
    for i in range(16):
        if not (c"0" <= text[i] <= c"9" or c"a" <= text[i] <= c"f"):
            return False
    return True


cdef bint is_go(const unsigned char* name, size_t size) noexcept nogil:
    """Tell a Go function, `path/of/package.Function` or `package.(*Type).Method`, by paths C and C++ names never have.

    What compilers of C append to a name looks like a function of a package: `main.cold`, `time.part.0`.
    """
    cdef const Beginning* package
    cdef const unsigned char* slash
    cdef size_t i
    if memchr(name, c" ", size) is not NULL or contains(name, size, b"::") or name[0] == c"/":
        return False
    if contains(name, size, b".(*"):
        return True
    package = find_beginning(GO_PACKAGES, GO_PACKAGE_COUNT, name, size)
    if package is not NULL:
        return not is_clone_suffix(name + package.length, size - package.length)
    slash = <const unsigned char*> memchr(name, c"/", size)
    if slash is NULL:
        return False
    i = size
    while i > 0 and name[i - 1] != c"/" and name[i - 1] != c")":
        i -= 1
    if memchr(name + i, c".", size - i) is NULL:
        return False
    if find_beginning(GO_FOLDERS, GO_FOLDER_COUNT, name, size) is not NULL:
        return not ends_with(name, size, b".js") and not contains(name, size, b".js:")
    # The first folder is a host: github.com/..., but not a Java package.
    return (
        memchr(name, c".", slash - name) is not NULL and is_word(name[0])
        and not listed_class(JAVA_PACKAGES, JAVA_PACKAGE_COUNT, name, size)
    )


cdef bint is_clone_suffix(const unsigned char* text, size_t size) noexcept nogil:
    """Tell `cold`, `isra.0` and the like, which GCC and LLVM append to a function's clones."""
    return (
        begins_with(text, size, b"cold") or begins_with(text, size, b"isra.") or begins_with(text, size, b"part.")
        or begins_with(text, size, b"constprop.") or begins_with(text, size, b"llvm.")
        or begins_with(text, size, b"lto_priv") or begins_with(text, size, b"localalias")
        or begins_with(text, size, b"resolver")
    )


cdef bint is_java(const unsigned char* name, size_t size, bint jit) noexcept nogil:
    """Tell a Java method.

    Layout::

        Lorg/acme/Job;::run                    perf-map-agent
        org/acme/Job::run   java/lang/Thread.run   its tidy form; async-profiler
        java.lang.Object java.util.HashMap.get(java.lang.Object)   the map that the JVM itself writes
        Func_loop.main([Ljava/lang/String;)V   jstack() of DTrace: a descriptor at the end
    """
    cdef size_t i = 0
    cdef size_t dots = 0
    cdef bint has_slash = False
    if has_descriptor(name, size):
        return True
    if listed_class(JAVA_PACKAGES, JAVA_PACKAGE_COUNT, name, size) and (
        jit or contains(name, size, b"::") or not contains(name, size, b".js")
    ):
        return jit or contains(name, size, b"::") or has_java_method(name, size)
    # Words and slashes up to `::`, with at least one slash.
    while i < size and (is_word(name[i]) or name[i] == c"/" or name[i] == c"-" or name[i] == c"+" or name[i] == c";"):
        has_slash = has_slash or (name[i] == c"/" and i > 0)
        i += 1
    if has_slash and begins_with(name + i, size - i, b"::"):
        return True
    if not jit:
        return False
    # What a JVM lists besides: a signature with its types, dots between packages and no brackets of .NET.
    for i in range(size):
        if name[i] == c"[" and (i + 1 == size or name[i + 1] != c"]"):
            return False
        if name[i] == c"(":
            return dots > 0 and name[size - 1] == c")"
        if name[i] == c".":
            dots += 1
        if name[i] == c":" and begins_with(name + i, size - i, b"::"):
            return dots > 0
    return False


cdef bint has_java_method(const unsigned char* name, size_t size) noexcept nogil:
    """Tell `java/lang/Thread.run`: one dot, and slashes only before it; dotted packages need their `::`."""
    cdef const unsigned char* dot = <const unsigned char*> memchr(name, c".", size)
    cdef const unsigned char* slash = <const unsigned char*> memchr(name, c"/", size)
    return (
        dot is not NULL and slash is not NULL and slash < dot
        and memchr(dot, c"/", size - (dot - name)) is NULL
    )


cdef bint has_descriptor(const unsigned char* name, size_t size) noexcept nogil:
    """Tell a JVM method descriptor at the end: `()V`, `(I)[B`, `(Lorg/A;)Lorg/B;`."""
    cdef size_t i = size
    while i > 0 and name[i - 1] != c")":
        i -= 1
    if i < 3 or i == size or memchr(name, c"(", i) is NULL:
        return False
    while i < size and name[i] == c"[":
        i += 1
    if i == size:
        return False
    if name[i] == c"L":
        return name[size - 1] == c";"
    return i + 1 == size and memchr(b"VZBCSIJFD", name[i], 9) is not NULL


cdef bint is_python_helper(const unsigned char* name, size_t size) noexcept nogil:
    """Tell a frame of DTrace's Python helper, `[ ./f.py:3 (func_c) ]`."""
    return begins_with(name, size, b"[ ") and ends_with(name, size, b" ]") and contains(name, size, b".py:")


cdef const Beginning* find_beginning(
    const Beginning* table, size_t count, const unsigned char* text, size_t size
) noexcept nogil:
    """Find the first row the text begins with; NULL without one."""
    cdef size_t i
    for i in range(count):
        if (
            table[i].text[0] == text[0] and size >= table[i].length
            and memcmp(table[i].text, text, table[i].length) == 0
        ):
            return table + i
    return NULL


cdef uint8_t listed_class(
    const Beginning* table, size_t count, const unsigned char* text, size_t size
) noexcept nogil:
    """Give the class of the first row the text begins with; CLASS_NONE without one."""
    cdef const Beginning* row = find_beginning(table, count, text, size) if size else NULL
    return row.frame_class if row is not NULL else CLASS_NONE


cdef uint8_t exact_class(
    const Beginning* table, size_t count, const unsigned char* text, size_t size
) noexcept nogil:
    """Give the class of the row that is the whole text; CLASS_NONE without one."""
    cdef size_t i
    for i in range(count):
        if table[i].length == size and memcmp(table[i].text, text, size) == 0:
            return table[i].frame_class
    return CLASS_NONE


cdef uint8_t filter_of(
    const unsigned char* name, size_t size, uint8_t frame_class, const V8Name* parsed
) noexcept nogil:
    """Say which preset of `--filter` a frame falls under, if any.

    Args:
        name: the symbol.
        size: its length in bytes.
        frame_class: as `classify_frame` gave it.
        parsed: as `classify_frame` left it.

    Returns:
        One bit of `FrameFilter`, or FILTER_NONE.
    """
    if frame_class == CLASS_UNRESOLVED:
        return FILTER_UNKNOWN
    if frame_class == CLASS_LIBC:
        if (
            is_start(name, size) or begins_with(name, size, b"__libc_start_") or begins_with(name, size, b"clone")
            or begins_with(name, size, b"__clone") or begins_with(name, size, b"_pthread_start")
        ):
            return FILTER_LIBC_START
        return FILTER_NONE
    if frame_class != CLASS_V8:
        return FILTER_NONE
    if parsed.kind == V8_STUB:
        return FILTER_STUBS
    if parsed.kind == V8_IC:
        return FILTER_ICS
    if parsed.kind == V8_BUILTIN or begins_with(name, size, b"Builtins_"):
        if (
            contains(name, size, b"LoadIC") or contains(name, size, b"StoreIC") or contains(name, size, b"GlobalIC")
            or contains(name, size, b"HasIC") or contains(name, size, b"OwnIC") or contains(name, size, b"LiteralIC")
        ):
            return FILTER_ICS
        return FILTER_BUILTINS
    return FILTER_V8_INTERNALS if parsed.kind == V8_NONE else FILTER_NONE


def class_and_tier(bytes name, bytes module=None, int kind=0):
    """Classify a frame; `classify_frame` for Python.

    Args:
        name: its symbol, or None.
        module: its module as printed, or None.
        kind: 0 user, 1 kernel, 2 JIT, 3 inlined.

    Returns:
        ``(class, tier)``, a row of `CLASSES` and the document's ``frame_tier``.
    """
    cdef V8Name parsed
    cdef bytes text = b"" if name is None else name
    cdef bytes path = b"" if module is None else module
    cdef uint8_t found = classify_frame(text, len(text), path, len(path), module is not None, kind, &parsed)
    return found, parsed.tier


def frame_class(bytes name, bytes module=None, int kind=0):
    """Name the class of a frame: a row of `CLASSES`.

    Args:
        name, module, kind: as for `class_and_tier`.
    """
    return CLASSES[class_and_tier(name, module, kind)[0]]
