"""What a frame is to the person who reads the picture: whose JavaScript, which part of the runtime, or no JavaScript.

Decided by the frame's kind (from its mapping), then by V8's own names, then by module, then by symbol; the first that
knows wins. So kernel frames are the kernel's whatever they are called, and ``Builtins_*`` of the node binary are V8's.
The rules are tables of beginnings of names, each with its class.
"""

from libc.stdint cimport uint8_t
from libc.string cimport memchr, memcmp

from flameparse.frames.kind cimport basename_offset, frame_kind, module_size
from flameparse.frames.symbol_text cimport begins_with, contains, ends_with, is_unknown, is_word
from flameparse.frames.v8_name cimport (
    NO_PLACE,
    V8_BUILTIN,
    V8_BYTECODE_HANDLER,
    V8_FUNCTION,
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
        FP_BEGINS("uv_", 11), FP_BEGINS("SSL_", 12), FP_BEGINS("EVP_", 12), FP_BEGINS("OPENSSL_", 12),
        FP_BEGINS("OSSL_", 12), FP_BEGINS("ossl_", 12), FP_BEGINS("CRYPTO_", 12), FP_BEGINS("BN_", 12),
        FP_BEGINS("bn_mul", 12), FP_BEGINS("bn_sqr", 12), FP_BEGINS("bn_power5", 12), FP_BEGINS("bn_from_mont", 12),
        FP_BEGINS("RSA_", 12), FP_BEGINS("rsaz_", 12), FP_BEGINS("DSA_", 12), FP_BEGINS("DH_", 12),
        FP_BEGINS("EC_", 12), FP_BEGINS("ECDSA_", 12), FP_BEGINS("ECDH_", 12), FP_BEGINS("ecp_nistz256_", 12),
        FP_BEGINS("X509_", 12), FP_BEGINS("X509v3_", 12), FP_BEGINS("ASN1_", 12), FP_BEGINS("asn1_", 12),
        FP_BEGINS("d2i_", 12), FP_BEGINS("i2d_", 12), FP_BEGINS("BIO_", 12), FP_BEGINS("ERR_", 12),
        FP_BEGINS("PEM_", 12), FP_BEGINS("PKCS5_", 12), FP_BEGINS("PKCS7_", 12), FP_BEGINS("PKCS8_", 12),
        FP_BEGINS("PKCS12_", 12), FP_BEGINS("CMS_", 12), FP_BEGINS("OCSP_", 12), FP_BEGINS("ENGINE_", 12),
        FP_BEGINS("RAND_", 12), FP_BEGINS("HMAC_", 12), FP_BEGINS("MD5_", 12), FP_BEGINS("SHA1_", 12),
        FP_BEGINS("SHA224_", 12), FP_BEGINS("SHA256_", 12), FP_BEGINS("SHA384_", 12), FP_BEGINS("SHA512_", 12),
        FP_BEGINS("AES_", 12), FP_BEGINS("DES_", 12), FP_BEGINS("aesni_", 12), FP_BEGINS("vpaes_", 12),
        FP_BEGINS("bsaes_", 12), FP_BEGINS("gcm_ghash_", 12), FP_BEGINS("gcm_gmult_", 12), FP_BEGINS("md5_block_", 12),
        FP_BEGINS("sha1_block_", 12), FP_BEGINS("sha256_block_", 12), FP_BEGINS("sha512_block_", 12),
        FP_BEGINS("sha1_multi_block", 12), FP_BEGINS("sha256_multi_block", 12), FP_BEGINS("ChaCha20_", 12),
        FP_BEGINS("poly1305_", 12), FP_BEGINS("x25519_", 12), FP_BEGINS("KeccakF1600", 12), FP_BEGINS("SHA3_", 12),
        FP_BEGINS("tls_construct_", 12), FP_BEGINS("tls_process_", 12), FP_BEGINS("tls13_", 12), FP_BEGINS("tls1_", 12),
        FP_BEGINS("ssl3_", 12), FP_BEGINS("dtls1_", 12), FP_BEGINS("evp_", 12), FP_BEGINS("OBJ_", 12),
        FP_BEGINS("CONF_", 12), FP_BEGINS("openssl_", 12), FP_BEGINS("__libc_start_", 13), FP_BEGINS("__libc_csu_", 13),
        FP_BEGINS("__GI_", 13), FP_BEGINS("_dl_", 13), FP_BEGINS("__clone", 13), FP_BEGINS("clone3", 13),
        FP_BEGINS("_pthread_start", 13), FP_BEGINS("__memmove_", 13), FP_BEGINS("__memcpy_", 13),
        FP_BEGINS("__memset_", 13), FP_BEGINS("__memcmp_", 13), FP_BEGINS("__memchr_", 13), FP_BEGINS("__strlen_", 13),
        FP_BEGINS("__strcmp_", 13), FP_BEGINS("__strchr_", 13), FP_BEGINS("_int_malloc", 13),
        FP_BEGINS("_int_free", 13), FP_BEGINS("_int_realloc", 13), FP_BEGINS("malloc_consolidate", 13),
        FP_BEGINS("__lll_lock_", 13), FP_BEGINS("__pthread_", 13), FP_BEGINS("pthread_", 13), FP_BEGINS("__vdso_", 13),
        FP_BEGINS("_ZN2v8", 9), FP_BEGINS("_ZNK2v8", 9), FP_BEGINS("_ZN5cppgc", 9), FP_BEGINS("JVM_", 17),
        FP_BEGINS("JavaThread::", 17), FP_BEGINS("JavaCalls::", 17), FP_BEGINS("JavaMain", 17),
        FP_BEGINS("Unsafe_", 17), FP_BEGINS("Java_", 17), FP_BEGINS("GCTaskThread::", 17),
        FP_BEGINS("CompileBroker::", 17), FP_BEGINS("InstanceKlass::", 17), FP_BEGINS("SharedRuntime::", 17),
        FP_BEGINS("py::", 20), FP_BEGINS("_PyEval_", 20), FP_BEGINS("PyEval_", 20), FP_BEGINS("PyObject_", 20),
        FP_BEGINS("_PyObject_", 20), FP_BEGINS("_PyFunction_", 20), FP_BEGINS("PyRun_", 20), FP_BEGINS("_PyRun_", 20),
        FP_BEGINS("Py_RunMain", 20), FP_BEGINS("Py_BytesMain", 20), FP_BEGINS("Py_Main", 20), FP_BEGINS("pymain_", 20),
        FP_BEGINS("PyImport_", 20), FP_BEGINS("PyUnicode_", 20), FP_BEGINS("PyDict_", 20), FP_BEGINS("PyList_", 20),
        FP_BEGINS("PyLong_", 20), FP_BEGINS("PyVectorcall_", 20), FP_BEGINS("_PyVectorcall_", 20),
        FP_BEGINS("PyGC_", 20), FP_BEGINS("_PyGC_", 20), FP_BEGINS("_PyTrampoline", 20),
        FP_BEGINS("_py_trampoline_", 20), FP_BEGINS("py_trampoline_", 20), FP_BEGINS("_cgo_", 18),
        FP_BEGINS("x_cgo_", 18), FP_BEGINS("crosscall2", 18), FP_BEGINS("rust_", 19), FP_BEGINS("__rust_", 19),
        FP_BEGINS("__rustc", 19), FP_BEGINS("___rust_", 19), FP_BEGINS("jni_", 17), FP_BEGINS("_ZN10JavaThread", 17),
        FP_BEGINS("_ZN9JavaCalls", 17),
    };
    #define FP_SYMBOL_COUNT (sizeof(FP_SYMBOLS) / sizeof(FP_SYMBOLS[0]))

    /* Functions that OpenSSL and libuv keep to themselves, in the binary of a runtime that has both built in. */
    static const struct fp_beginning FP_BUILT_IN[] = {
        FP_BEGINS("ASYNC_", 12), FP_BEGINS("BF_", 12), FP_BEGINS("BIGNUM_", 12), FP_BEGINS("BUF_", 12),
        FP_BEGINS("CAST_", 12), FP_BEGINS("CMAC_", 12), FP_BEGINS("CTLOG_", 12), FP_BEGINS("CT_", 12),
        FP_BEGINS("Camellia_", 12), FP_BEGINS("DSO_", 12), FP_BEGINS("DTLS", 12),
        FP_BEGINS("EncryptedPrivateKeyInfo_", 12), FP_BEGINS("GENERAL_", 12), FP_BEGINS("KRB5_", 12),
        FP_BEGINS("MD4", 12), FP_BEGINS("MDC2", 12), FP_BEGINS("NCONF_", 12), FP_BEGINS("NETSCAPE_", 12),
        FP_BEGINS("OpenSSL_", 12), FP_BEGINS("PACKET_", 12), FP_BEGINS("PrivateKeyInfo_", 12), FP_BEGINS("RC2_", 12),
        FP_BEGINS("RC4", 12), FP_BEGINS("RIPEMD160", 12), FP_BEGINS("RSAZ_", 12), FP_BEGINS("SCT_", 12),
        FP_BEGINS("SEED_", 12), FP_BEGINS("SHA_", 12), FP_BEGINS("SMIME_", 12), FP_BEGINS("SRP_", 12),
        FP_BEGINS("SSL3_", 12), FP_BEGINS("SSLeay", 12), FP_BEGINS("SSLv", 12), FP_BEGINS("SipHash_", 12),
        FP_BEGINS("SubjectPublicKeyInfo_", 12), FP_BEGINS("TLS", 12), FP_BEGINS("TS_", 12), FP_BEGINS("UI_", 12),
        FP_BEGINS("UTF8_getc", 12), FP_BEGINS("WHIRLPOOL", 12), FP_BEGINS("WPACKET_", 12), FP_BEGINS("X509V3_", 12),
        FP_BEGINS("X509at_", 12), FP_BEGINS("X9_62_", 12), FP_BEGINS("_CONF_", 12), FP_BEGINS("__KeccakF1600", 12),
        FP_BEGINS("__bn_", 12), FP_BEGINS("__ecp_nistz256_", 12), FP_BEGINS("__rsaz_", 12), FP_BEGINS("_aesni_", 12),
        FP_BEGINS("_bsaes_", 12), FP_BEGINS("_dopr", 12), FP_BEGINS("_ossl_", 12), FP_BEGINS("_vpaes_", 12),
        FP_BEGINS("_x86_64_AES_", 12), FP_BEGINS("_x86_64_Camellia_", 12), FP_BEGINS("a2i_", 12), FP_BEGINS("aes_", 12),
        FP_BEGINS("alg_cleanup", 12), FP_BEGINS("alg_copy", 12), FP_BEGINS("algorithm_do_this", 12),
        FP_BEGINS("ameth_", 12), FP_BEGINS("aria_", 12), FP_BEGINS("asm_AES_", 12), FP_BEGINS("b2i_", 12),
        FP_BEGINS("bf_", 12), FP_BEGINS("bio_", 12), FP_BEGINS("bn_", 12), FP_BEGINS("bread_conv", 12),
        FP_BEGINS("bwrite_conv", 12), FP_BEGINS("c2i_", 12), FP_BEGINS("camellia_", 12), FP_BEGINS("chacha20_", 12),
        FP_BEGINS("cipher_", 12), FP_BEGINS("cleanup_old_md_data", 12), FP_BEGINS("cmac_", 12), FP_BEGINS("cms_", 12),
        FP_BEGINS("codec_choose", 12), FP_BEGINS("collect_all_decoders", 12), FP_BEGINS("collect_decoder", 12),
        FP_BEGINS("collect_keymgmt", 12), FP_BEGINS("common_get_params", 12), FP_BEGINS("conf_", 12),
        FP_BEGINS("construct_decoder", 12), FP_BEGINS("construct_evp_method", 12), FP_BEGINS("context_deinit", 12),
        FP_BEGINS("context_init", 12), FP_BEGINS("cpy_utf8", 12), FP_BEGINS("ctr_update", 12),
        FP_BEGINS("decoder_", 12), FP_BEGINS("def_destroy", 12), FP_BEGINS("def_load", 12), FP_BEGINS("del_tmpalg", 12),
        FP_BEGINS("der2key_", 12), FP_BEGINS("des_", 12), FP_BEGINS("destruct_evp_method", 12), FP_BEGINS("dh_", 12),
        FP_BEGINS("drbg_", 12), FP_BEGINS("dsa_", 12), FP_BEGINS("dtls", 12), FP_BEGINS("ec_GF", 12),
        FP_BEGINS("ec_group_", 12), FP_BEGINS("ecdh_", 12), FP_BEGINS("ecdsa_", 12), FP_BEGINS("eckey_", 12),
        FP_BEGINS("ecx_", 12), FP_BEGINS("encoder_", 12), FP_BEGINS("engine_", 12), FP_BEGINS("err_", 12),
        FP_BEGINS("ext_cmp_", 12), FP_BEGINS("fe_", 12), FP_BEGINS("find_ameth", 12), FP_BEGINS("fmtint", 12),
        FP_BEGINS("free_oldmd", 12), FP_BEGINS("ge_", 12), FP_BEGINS("get_entropy", 12),
        FP_BEGINS("get_evp_method_from_store", 12), FP_BEGINS("get_legacy_", 12), FP_BEGINS("get_parent_strength", 12),
        FP_BEGINS("getrn", 12), FP_BEGINS("help_get_legacy", 12), FP_BEGINS("hmac_", 12), FP_BEGINS("i2a_", 12),
        FP_BEGINS("i2b_", 12), FP_BEGINS("i2c_", 12), FP_BEGINS("i2o_", 12), FP_BEGINS("i2r_", 12),
        FP_BEGINS("i2s_", 12), FP_BEGINS("i2v_", 12), FP_BEGINS("idea_", 12), FP_BEGINS("impl_cache", 12),
        FP_BEGINS("impl_free", 12), FP_BEGINS("init_thread_", 12), FP_BEGINS("inner_evp_", 12),
        FP_BEGINS("int_bn_", 12), FP_BEGINS("int_ctx_new", 12), FP_BEGINS("int_err_", 12), FP_BEGINS("kdf_", 12),
        FP_BEGINS("key2any_", 12), FP_BEGINS("keymgmt_", 12), FP_BEGINS("lh_", 12), FP_BEGINS("md4_", 12),
        FP_BEGINS("md5_", 12), FP_BEGINS("mdc2_", 12), FP_BEGINS("mem_new", 12), FP_BEGINS("mem_puts", 12),
        FP_BEGINS("mime_", 12), FP_BEGINS("ml_", 12), FP_BEGINS("msblob2", 12), FP_BEGINS("mul4x_", 12),
        FP_BEGINS("mulx4x_", 12), FP_BEGINS("namemap_", 12), FP_BEGINS("namenum_", 12), FP_BEGINS("names_lh_", 12),
        FP_BEGINS("nid_cmp", 12), FP_BEGINS("o2i_", 12), FP_BEGINS("obj_cmp_", 12), FP_BEGINS("obj_name_", 12),
        FP_BEGINS("ocsp_", 12), FP_BEGINS("padlock_", 12), FP_BEGINS("pbkdf2_", 12), FP_BEGINS("pem2der_", 12),
        FP_BEGINS("pem_", 12), FP_BEGINS("pkey_", 12), FP_BEGINS("policy_", 12), FP_BEGINS("pqueue_", 12),
        FP_BEGINS("private_AES_", 12), FP_BEGINS("private_Camellia_", 12), FP_BEGINS("private_RC4_", 12),
        FP_BEGINS("property_", 12), FP_BEGINS("provider_", 12), FP_BEGINS("pubkey_cb", 12),
        FP_BEGINS("put_evp_method", 12), FP_BEGINS("query_cmp", 12), FP_BEGINS("query_hash", 12), FP_BEGINS("r2i_", 12),
        FP_BEGINS("rand_", 12), FP_BEGINS("rc2_", 12), FP_BEGINS("rc4_", 12), FP_BEGINS("ripemd160_", 12),
        FP_BEGINS("rsa_", 12), FP_BEGINS("s2i_", 12), FP_BEGINS("seed_src_", 12), FP_BEGINS("set_legacy_nid", 12),
        FP_BEGINS("sha1_", 12), FP_BEGINS("sha224_", 12), FP_BEGINS("sha256_", 12), FP_BEGINS("sha384_", 12),
        FP_BEGINS("sha3_", 12), FP_BEGINS("sha512_", 12), FP_BEGINS("sha_block_", 12), FP_BEGINS("sig_cmp_", 12),
        FP_BEGINS("siphash", 12), FP_BEGINS("sk_", 12), FP_BEGINS("slh_", 12), FP_BEGINS("spki2typespki_", 12),
        FP_BEGINS("ssl23_", 12), FP_BEGINS("ssl_", 12), FP_BEGINS("ssleay_", 12), FP_BEGINS("stored_namemap_", 12),
        FP_BEGINS("tdes_", 12), FP_BEGINS("tls", 12), FP_BEGINS("type_specific_", 12),
        FP_BEGINS("unreserve_evp_method", 12), FP_BEGINS("v2i_", 12), FP_BEGINS("value_free_stack", 12),
        FP_BEGINS("whirlpool_", 12), FP_BEGINS("x509_", 12), FP_BEGINS("x509v3_", 12),
        FP_BEGINS("maybe_new_socket", 11),
    };
    #define FP_BUILT_IN_COUNT (sizeof(FP_BUILT_IN) / sizeof(FP_BUILT_IN[0]))
    static const struct fp_beginning FP_BUILT_IN_NAMES[] = {
        FP_BEGINS("worker", 11), FP_BEGINS("post", 11), FP_BEGINS("post.part.0", 11), FP_BEGINS("init_once", 11),
        FP_BEGINS("timer_less_than", 11), FP_BEGINS("PushAllRegistersAndIterateStack", 9),
        FP_BEGINS("construct_stub_create_deopt_addr", 9), FP_BEGINS("construct_stub_invoke_deopt_addr", 9),
    };
    #define FP_BUILT_IN_NAME_COUNT (sizeof(FP_BUILT_IN_NAMES) / sizeof(FP_BUILT_IN_NAMES[0]))

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
        FP_BEGINS("(garbage collector)", 9), FP_BEGINS("GenericJSToWasmWrapper", 9), FP_BEGINS("js-to-wasm", 7),
        FP_BEGINS("(program)", 21), FP_BEGINS("(idle)", 21),
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
        FP_BEGINS("__se_sys_", 15), FP_BEGINS("__do_sys_", 15), FP_BEGINS("asm_sysvec_", 15), FP_BEGINS("asm_exc_", 15),
        FP_BEGINS("asm_common_", 15), FP_BEGINS("sysvec_", 15), FP_BEGINS("el0t_64_", 15), FP_BEGINS("el1h_64_", 15),
        FP_BEGINS("finish_task_switch", 15), FP_BEGINS("bpf_prog_", 15), FP_BEGINS("bpf_trampoline_", 15),
        FP_BEGINS("sys_", 15), FP_BEGINS("SyS_", 15), FP_BEGINS("SYSC_", 15), FP_BEGINS("ksys_", 15),
        FP_BEGINS("do_sys_", 15), FP_BEGINS("__vfs_", 15), FP_BEGINS("vfs_", 15), FP_BEGINS("ext4_", 15),
        FP_BEGINS("xfs_", 15), FP_BEGINS("btrfs_", 15), FP_BEGINS("nfs_", 15), FP_BEGINS("blk_", 15),
        FP_BEGINS("tcp_v4_", 15), FP_BEGINS("tcp_v6_", 15), FP_BEGINS("tcp_sendmsg", 15), FP_BEGINS("tcp_recvmsg", 15),
        FP_BEGINS("tcp_rcv_", 15), FP_BEGINS("tcp_write_xmit", 15), FP_BEGINS("__tcp_", 15), FP_BEGINS("ip_rcv", 15),
        FP_BEGINS("ip_local_", 15), FP_BEGINS("ip_finish_", 15), FP_BEGINS("ip_queue_xmit", 15),
        FP_BEGINS("ip_output", 15), FP_BEGINS("__ip_", 15), FP_BEGINS("__alloc_skb", 15), FP_BEGINS("skb_", 15),
        FP_BEGINS("__skb", 15), FP_BEGINS("__netif_", 15), FP_BEGINS("netif_", 15), FP_BEGINS("__dev_queue_xmit", 15),
        FP_BEGINS("dev_hard_start_xmit", 15), FP_BEGINS("net_rx_action", 15), FP_BEGINS("sock_", 15),
        FP_BEGINS("inet_sendmsg", 15), FP_BEGINS("inet_recvmsg", 15), FP_BEGINS("system_call_", 15),
        FP_BEGINS("do_page_fault", 15), FP_BEGINS("__do_page_fault", 15), FP_BEGINS("page_fault", 15),
        FP_BEGINS("rw_verify_area", 15), FP_BEGINS("native_write_", 15), FP_BEGINS("native_read_", 15),
        FP_BEGINS("native_queued_", 15), FP_BEGINS("intel_pmu_", 15), FP_BEGINS("x86_pmu_", 15),
        FP_BEGINS("perf_event_", 15), FP_BEGINS("__perf_event_", 15), FP_BEGINS("perf_swevent_", 15),
        FP_BEGINS("smp_", 15), FP_BEGINS("hrtimer_", 15), FP_BEGINS("__hrtimer_", 15), FP_BEGINS("tick_", 15),
        FP_BEGINS("ktime_", 15), FP_BEGINS("generic_file_", 15), FP_BEGINS("generic_smp_", 15),
        FP_BEGINS("call_function_single_interrupt", 15), FP_BEGINS("apic_timer_interrupt", 15),
        FP_BEGINS("irq_exit", 15), FP_BEGINS("handle_irq", 15), FP_BEGINS("do_IRQ", 15), FP_BEGINS("ret_from_intr", 15),
        FP_BEGINS("retint_", 15), FP_BEGINS("try_to_wake_up", 15), FP_BEGINS("ttwu_", 15),
        FP_BEGINS("enqueue_task", 15), FP_BEGINS("dequeue_task", 15), FP_BEGINS("pick_next_task", 15),
        FP_BEGINS("update_curr", 15), FP_BEGINS("futex_", 15), FP_BEGINS("do_futex", 15), FP_BEGINS("copy_user_", 15),
        FP_BEGINS("copy_page_", 15), FP_BEGINS("_raw_spin_", 15), FP_BEGINS("__raw_spin_", 15),
        FP_BEGINS("__srcu_", 15), FP_BEGINS("rcu_", 15), FP_BEGINS("__rcu_", 15), FP_BEGINS("__fget", 15),
        FP_BEGINS("__fdget", 15), FP_BEGINS("__fput", 15), FP_BEGINS("fsnotify", 15), FP_BEGINS("security_", 15),
        FP_BEGINS("selinux_", 15), FP_BEGINS("kmem_cache_", 15), FP_BEGINS("kmalloc", 15), FP_BEGINS("slab_", 15),
        FP_BEGINS("__slab_", 15), FP_BEGINS("mem_cgroup_", 15), FP_BEGINS("__alloc_pages", 15),
        FP_BEGINS("get_page_from_freelist", 15), FP_BEGINS("do_anonymous_page", 15), FP_BEGINS("__handle_mm_fault", 15),
        FP_BEGINS("filemap_", 15), FP_BEGINS("ep_poll", 15), FP_BEGINS("ep_send_events", 15),
        FP_BEGINS("pipe_read", 15), FP_BEGINS("pipe_write", 15), FP_BEGINS("do_select", 15),
        FP_BEGINS("do_sys_poll", 15), FP_BEGINS("nf_", 15), FP_BEGINS("ipt_", 15),
    };
    #define FP_KERNEL_SYMBOL_COUNT (sizeof(FP_KERNEL_SYMBOLS) / sizeof(FP_KERNEL_SYMBOLS[0]))

    /* Modules of kernels that DTrace runs on; whole names, without a folder. */
    static const struct fp_beginning FP_KERNEL_MODULES[] = {
        FP_BEGINS("unix", 15), FP_BEGINS("genunix", 15), FP_BEGINS("mach_kernel", 15), FP_BEGINS("kernel", 15),
        FP_BEGINS("kernel.development", 15), FP_BEGINS("kernel.release", 15), FP_BEGINS("zfs", 15),
        FP_BEGINS("vmlinux", 15), FP_BEGINS("ufs", 15), FP_BEGINS("ip", 15), FP_BEGINS("tcp", 15),
        FP_BEGINS("sockfs", 15), FP_BEGINS("specfs", 15), FP_BEGINS("lofs", 15), FP_BEGINS("cpu.generic", 15),
        FP_BEGINS("FSS", 15), FP_BEGINS("TS", 15), FP_BEGINS("SDC", 15), FP_BEGINS("doorfs", 15),
        FP_BEGINS("namefs", 15), FP_BEGINS("procfs", 15), FP_BEGINS("fifofs", 15), FP_BEGINS("devfs", 15),
        FP_BEGINS("tmpfs", 15), FP_BEGINS("mntfs", 15), FP_BEGINS("autofs", 15), FP_BEGINS("portfs", 15),
        FP_BEGINS("nfs", 15), FP_BEGINS("dtrace", 15), FP_BEGINS("mac", 15), FP_BEGINS("dls", 15), FP_BEGINS("dld", 15),
        FP_BEGINS("sd", 15), FP_BEGINS("sata", 15), FP_BEGINS("ahci", 15), FP_BEGINS("pcplusmp", 15),
        FP_BEGINS("apix", 15), FP_BEGINS("hyprlofs", 15), FP_BEGINS("lx_brand", 15), FP_BEGINS("udp", 15),
        FP_BEGINS("arp", 15), FP_BEGINS("ipf", 15), FP_BEGINS("kcf", 15), FP_BEGINS("random", 15),
        FP_BEGINS("elfexec", 15), FP_BEGINS("rpcmod", 15), FP_BEGINS("vioif", 15), FP_BEGINS("vioblk", 15),
        FP_BEGINS("blkdev", 15), FP_BEGINS("scsi", 15),
    };
    #define FP_KERNEL_MODULE_COUNT (sizeof(FP_KERNEL_MODULES) / sizeof(FP_KERNEL_MODULES[0]))

    /* Namespaces of V8's C++. */
    static const struct fp_beginning FP_V8_NAMESPACES[] = {
        FP_BEGINS("v8::", 9), FP_BEGINS("cppgc::", 9), FP_BEGINS("heap::base::", 9), FP_BEGINS("v8_inspector::", 9),
        FP_BEGINS("v8_crdtp::", 9), FP_BEGINS("crdtp::", 9), FP_BEGINS("unibrow::", 9), FP_BEGINS("disasm::", 9),
    };
    #define FP_V8_NAMESPACE_COUNT (sizeof(FP_V8_NAMESPACES) / sizeof(FP_V8_NAMESPACES[0]))

    /* Code of the JVM's own among the methods it compiled: whole names. */
    static const struct fp_beginning FP_JVM_CODE[] = {
        FP_BEGINS("I2C/C2I adapters", 17), FP_BEGINS("MethodHandles adapters", 17), FP_BEGINS("adapters", 17),
        FP_BEGINS("VM_Version stub", 17), FP_BEGINS("flush_icache_stub", 17), FP_BEGINS("getCPUIDBrandString_stub", 17),
        FP_BEGINS("wrong_method_stub", 17), FP_BEGINS("wrong_method_abstract_stub", 17), FP_BEGINS("ic_miss_stub", 17),
        FP_BEGINS("resolve_opt_virtual_call", 17), FP_BEGINS("resolve_virtual_call", 17),
        FP_BEGINS("resolve_static_call", 17), FP_BEGINS("SafepointBlob", 17), FP_BEGINS("UncommonTrapBlob", 17),
        FP_BEGINS("DeoptimizationBlob", 17), FP_BEGINS("ExceptionBlob", 17), FP_BEGINS("InlineCacheBuffer", 17),
        FP_BEGINS("C1 temporary CodeBuffer", 17), FP_BEGINS("Signature Handler Temp Buffer", 17),
        FP_BEGINS("native signature handlers", 17), FP_BEGINS("vtable chunks", 17),
        FP_BEGINS("g1_pre_barrier_slow", 17), FP_BEGINS("g1_post_barrier_slow", 17),
    };
    #define FP_JVM_CODE_COUNT (sizeof(FP_JVM_CODE) / sizeof(FP_JVM_CODE[0]))

    /* Files of the core of Node up to version 14: whole names, beside `_http_*`, `_stream_*` and `_tls_*`. */
    static const struct fp_beginning FP_CORE_FILES[] = {
        FP_BEGINS("_debug_agent.js", 3), FP_BEGINS("_debugger.js", 3), FP_BEGINS("_linklist.js", 3),
        FP_BEGINS("assert.js", 3), FP_BEGINS("async_hooks.js", 3), FP_BEGINS("buffer.js", 3),
        FP_BEGINS("child_process.js", 3), FP_BEGINS("cluster.js", 3), FP_BEGINS("console.js", 3),
        FP_BEGINS("constants.js", 3), FP_BEGINS("crypto.js", 3), FP_BEGINS("dgram.js", 3),
        FP_BEGINS("diagnostics_channel.js", 3), FP_BEGINS("dns.js", 3), FP_BEGINS("domain.js", 3),
        FP_BEGINS("events.js", 3), FP_BEGINS("freelist.js", 3), FP_BEGINS("fs.js", 3), FP_BEGINS("fs/promises.js", 3),
        FP_BEGINS("http.js", 3), FP_BEGINS("http2.js", 3), FP_BEGINS("https.js", 3), FP_BEGINS("inspector.js", 3),
        FP_BEGINS("module.js", 3), FP_BEGINS("net.js", 3), FP_BEGINS("os.js", 3), FP_BEGINS("path.js", 3),
        FP_BEGINS("perf_hooks.js", 3), FP_BEGINS("process.js", 3), FP_BEGINS("punycode.js", 3),
        FP_BEGINS("querystring.js", 3), FP_BEGINS("readline.js", 3), FP_BEGINS("repl.js", 3),
        FP_BEGINS("smalloc.js", 3), FP_BEGINS("stream.js", 3), FP_BEGINS("string_decoder.js", 3),
        FP_BEGINS("sys.js", 3), FP_BEGINS("timers.js", 3), FP_BEGINS("tls.js", 3), FP_BEGINS("trace_events.js", 3),
        FP_BEGINS("tracing.js", 3), FP_BEGINS("tty.js", 3), FP_BEGINS("url.js", 3), FP_BEGINS("util.js", 3),
        FP_BEGINS("v8.js", 3), FP_BEGINS("vm.js", 3), FP_BEGINS("wasi.js", 3), FP_BEGINS("worker_threads.js", 3),
        FP_BEGINS("zlib.js", 3), FP_BEGINS("node.js", 3), FP_BEGINS("bootstrap_node.js", 3),
    };
    #define FP_CORE_FILE_COUNT (sizeof(FP_CORE_FILES) / sizeof(FP_CORE_FILES[0]))

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
        FP_BEGINS("mio::", 19), FP_BEGINS("temporal_rs::", 19), FP_BEGINS("temporal_capi::", 19),
        FP_BEGINS("calendrical_calculations::", 19),
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
        FP_BEGINS("gcWriteBarrier", 18), FP_BEGINS("cmpbody", 18), FP_BEGINS("indexbytebody", 18),
        FP_BEGINS("indexbody", 18), FP_BEGINS("countbody", 18), FP_BEGINS("_rt0_", 18),
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
    const Beginning* BUILT_IN "FP_BUILT_IN"
    const size_t BUILT_IN_COUNT "FP_BUILT_IN_COUNT"
    const Beginning* BUILT_IN_NAMES "FP_BUILT_IN_NAMES"
    const size_t BUILT_IN_NAME_COUNT "FP_BUILT_IN_NAME_COUNT"
    const Beginning* BARE_SYMBOLS "FP_BARE_SYMBOLS"
    const size_t BARE_SYMBOL_COUNT "FP_BARE_SYMBOL_COUNT"
    const Beginning* KERNEL_SYMBOLS "FP_KERNEL_SYMBOLS"
    const size_t KERNEL_SYMBOL_COUNT "FP_KERNEL_SYMBOL_COUNT"
    const Beginning* KERNEL_MODULES "FP_KERNEL_MODULES"
    const size_t KERNEL_MODULE_COUNT "FP_KERNEL_MODULE_COUNT"
    const Beginning* V8_NAMESPACES "FP_V8_NAMESPACES"
    const size_t V8_NAMESPACE_COUNT "FP_V8_NAMESPACE_COUNT"
    const Beginning* JVM_CODE "FP_JVM_CODE"
    const size_t JVM_CODE_COUNT "FP_JVM_CODE_COUNT"
    const Beginning* CORE_FILES "FP_CORE_FILES"
    const size_t CORE_FILE_COUNT "FP_CORE_FILE_COUNT"
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
    "preload": FILTER_PRELOAD,
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
        [unknown] (/usr/bin/app)   (program)   (idle)                unresolved; what V8's profiler calls code that is
                                                                     not JavaScript, and no code: no C++ to be hidden

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
    cdef size_t plain
    cdef uint8_t found
    cdef bint is_initial
    if not has_module:
        base = dtrace_module_size(name, size)
        if base:
            # `libc.so.1`malloc`, as DTrace prints frames and as folded text keeps them
            has_module, module, module_len = True, name, base
            name += base + 1
            size -= base + 1
            kind = frame_kind(module, module_len, True, 0)
    if has_module:
        module_len = module_size(module, module_len)
        base = basename_offset(module, module_len)
        has_module = module_len > 0 and not is_unknown(module, module_len)
    plain = size
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
        has_module and base == 0 and (
            exact_class(KERNEL_MODULES, KERNEL_MODULE_COUNT, module, module_len)
            or begins_with(module, module_len, b"com.apple.")
        )
    ):
        return CLASS_KERNEL
    if kind == KIND_INLINED:
        return CLASS_INLINED
    size = plain
    if is_unresolved(name, size, module + base, module_len - base, has_module):
        return CLASS_UNRESOLVED
    is_initial = ends_with(name, size, b"[INIT]")
    if is_initial:
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
        if contains(module, module_len, b"/jvm/") or contains(module, module_len, b"/jdk"):
            return CLASS_JVM
        if module_len - base == 4 and begins_with(module + base, 4, b"dyld"):
            return CLASS_LIBC
        found = symbol_class(name, size, True)
        if found == CLASS_CPP and is_runtime(module + base, module_len - base):
            return built_in_class(name, size)
        return found
    return symbol_class(name, size, False)


cdef size_t dtrace_module_size(const unsigned char* name, size_t size) noexcept nogil:
    """Measure the module that DTrace prints before a backtick; 0 where there is none, as in "f`oo bar"."""
    cdef size_t i = 0
    while i < size and (is_word(name[i]) or name[i] == c"." or name[i] == c"-" or name[i] == c"+"):
        i += 1
    return i if i + 1 < size and name[i] == c"`" else 0


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
    if (kind != KIND_JIT and begins_with(name, size, b"RegExp::")) or not parse_v8_name(name, size, parsed) or (
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
    `node:`. Perf maps have columns since Node 20, so a bare name with one is the application's, as is `native x.js`;
    CPU profiles always have them, and their decoder knows better.
    """
    if (
        size == 0 or begins_with(file, size, b"evalmachine.<anonymous>") or begins_with(file, size, b"[eval")
        or begins_with(file, size, b"[worker eval]") or begins_with(file, size, b"[stdin]")
        or begins_with(file, size, b"<anonymous>") or begins_with(file, size, b"data:") or is_repl(file, size)
    ):
        return CLASS_EVAL
    if (
        begins_with(file, size, b"node:") or begins_with(file, size, b"internal/")
        or begins_with(file, size, b"electron/js2c/") or begins_with(file, size, b"ext:")
    ):
        return CLASS_CORE
    if begins_with(file, size, b"wasm://"):
        return CLASS_WASM
    if begins_with(file, size, b"v8/"):
        return CLASS_V8
    if (
        is_in_node_modules(file, size)
        or contains(file, size, b"/.yarn/") or ends_with(file, size, b"/.pnp.cjs") or ends_with(file, size, b"/.pnp.js")
    ):
        return CLASS_DEPS
    if not has_column:
        if begins_with(file, size, b"native "):
            return CLASS_NATIVE
        if (
            exact_class(CORE_FILES, CORE_FILE_COUNT, file, size) or begins_with(file, size, b"_http_")
            or begins_with(file, size, b"_stream_") or begins_with(file, size, b"_tls_")
        ):
            return CLASS_CORE
    return CLASS_APP


cdef bint is_in_node_modules(const unsigned char* file, size_t size) noexcept nogil:
    """Tell a path with a folder of that name, and not just of an end like it."""
    cdef bint is_start = True
    cdef size_t i
    for i in range(size):
        if is_start and i + 12 < size and begins_with(file + i, size - i, b"node_modules") and (
            file[i + 12] == c"/" or file[i + 12] == c"\\"
        ):
            return True
        is_start = file[i] == c"/" or file[i] == c"\\"
    return False


cdef bint is_repl(const unsigned char* file, size_t size) noexcept nogil:
    """Tell `REPL7`, an input of Node's own prompt; `repl` before Node 12."""
    cdef size_t i
    if size == 4 and begins_with(file, size, b"repl"):
        return True
    if size < 5 or not begins_with(file, size, b"REPL"):
        return False
    for i in range(4, size):
        if not c"0" <= file[i] <= c"9":
            return False
    return True


cdef uint8_t other_jit_class(const unsigned char* name, size_t size) noexcept nogil:
    """Classify the code of other JITs; what is not known is somebody's program."""
    cdef uint8_t found
    if begins_with(name, size, b"py::"):
        return CLASS_PYTHON
    if (
        is_java(name, size, True) or begins_with(name, size, b"StubRoutines") or begins_with(name, size, b"StubGen")
        or exact_class(JVM_CODE, JVM_CODE_COUNT, name, size) or ends_with(name, size, b" Runtime1 stub")
        or ends_with(name, size, b" throw_exception") or begins_with(name, size, b"jni_fast_")
        or (begins_with(name, size, b"_") and ends_with(name, size, b"_Java"))
    ):
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
    if is_v8_function(name, size, False):
        return CLASS_V8
    if is_go(name, size, has_module):
        return CLASS_GO
    if is_java(name, size, False):
        return CLASS_JVM
    if is_python_helper(name, size):
        return CLASS_PYTHON
    if is_start(name, size):
        return CLASS_LIBC
    if ends_with(name, size, b"@plt") and memchr(name, c" ", size) is NULL and not contains(name, size, b"::"):
        return CLASS_LIBC  # the jump to a library; those whose names say more have been told by now
    if not has_module:
        found = exact_class(BARE_SYMBOLS, BARE_SYMBOL_COUNT, name, size)
        if not found:
            found = listed_class(KERNEL_SYMBOLS, KERNEL_SYMBOL_COUNT, name, size)
        if found:
            return found
        if begins_with(name, size, b"StubRoutines ("):
            return CLASS_JVM
    return CLASS_CPP


cdef bint is_runtime(const unsigned char* base, size_t size) noexcept nogil:
    """Tell a binary with V8, OpenSSL and libuv in it: `node`, `node20`, `libnode.so.108`; no addon `node_x.node`."""
    return not ends_with(base, size, b".node") and (
        begins_with(base, size, b"node") or begins_with(base, size, b"libnode") or begins_with(base, size, b"electron")
    )


cdef uint8_t built_in_class(const unsigned char* name, size_t size) noexcept nogil:
    """Classify what such a binary holds besides what symbols alone tell."""
    cdef uint8_t found = exact_class(BUILT_IN_NAMES, BUILT_IN_NAME_COUNT, name, size)
    if found:
        return found
    if contains(name, size, b"::") or ends_with(name, size, b"@plt"):
        return CLASS_CPP
    found = listed_class(BUILT_IN, BUILT_IN_COUNT, name, size)
    return found if found else <uint8_t> CLASS_CPP


cdef bint is_start(const unsigned char* name, size_t size) noexcept nogil:
    """Tell where the C library enters a process and its threads."""
    return (size == 6 and begins_with(name, size, b"_start")) or (
        size == 12 and (begins_with(name, size, b"start_thread") or begins_with(name, size, b"thread_start"))
    )


cdef bint is_v8_function(const unsigned char* name, size_t size, bint is_internal) noexcept nogil:
    """Tell a C++ function of V8's, after whatever type it returns; `v8::` in arguments says nothing.

    `is_internal` asks for those of `v8::internal` alone.

    Layout: `v8::internal::Heap::Scavenge`, `void v8::internal::Foo<int>::bar(v8::Isolate*)`, `cppgc::internal::Sweeper`
    """
    cdef size_t i
    cdef size_t depth = 0
    cdef unsigned char byte
    cdef bint is_word_start = True
    for i in range(size):
        byte = name[i]
        if depth == 0 and is_word_start and listed_class(V8_NAMESPACES, V8_NAMESPACE_COUNT, name + i, size - i):
            return not is_internal or begins_with(name + i, size - i, b"v8::internal::")
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
    if (name[0] == c"<" and contains(name, size, b">::")) or contains(name, size, b"::<impl "):
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


cdef bint is_go(const unsigned char* name, size_t size, bint has_module) noexcept nogil:
    """Tell a Go function, `path/of/package.Function` or `package.(*Type).Method`, by paths C and C++ names never have.

    What compilers of C append to a name looks like a function of a package: `main.cold`, `time.part.0`.
    """
    cdef const Beginning* package
    cdef const unsigned char* slash
    cdef const unsigned char* types = <const unsigned char*> memchr(name, c"[", size)
    cdef size_t i
    if types is not NULL:
        size = types - name  # `slices.Index[go.shape.struct { a int }]`
    if size == 0 or memchr(name, c" ", size) is not NULL or contains(name, size, b"::") or name[0] == c"/":
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
    if has_module and is_word(name[0]):
        return True  # of a file with symbols, no other language has slashes in them
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
    # Words and slashes up to `::`, with at least one slash, or `Lname;`.
    while i < size and (is_word(name[i]) or name[i] == c"/" or name[i] == c"-" or name[i] == c"+" or name[i] == c";"):
        has_slash = has_slash or (name[i] == c"/" and i > 0)
        i += 1
    if (has_slash or (name[0] == c"L" and i > 2 and name[i - 1] == c";")) and begins_with(name + i, size - i, b"::"):
        return True
    if begins_with(name + i, size - i, b":::"):
        return True  # what text of stacks makes of `;::`
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
    """Say which presets of `--filter` a frame falls under, if any.

    Layout, what Node's guide to flame graphs and 0x mean to take out of the text of perf, and what says so today::

        libc-start      ` __libc_start`         __libc_start_main  __libc_start_call_main@@GLIBC_2.34
        v8-internals    ` v8::internal::`       v8::internal::Heap::Scavenge  _ZN2v88internal4Heap8ScavengeEv
        builtins        ` Builtin:`             Builtin:ArrayPush  Builtins_InterpreterEntryTrampoline
                        ` LazyCompile `         LazyCompile:, what Node 8 calls the builtins it lists without a name
        stubs           ` Stub:`                Stub:CEntryStub
        ics             ` LoadIC:` and others   LoadIC:A load IC from the snapshot  Handler:length  Builtins_LoadIC
        unknown         `[unknown]`             [unknown]  0x7fff8a1b2c3d
        preload                                 0x/lib/preload/soft-exit.js  loadPreloadModules  Module._preloadModules

    Handlers of bytecodes are no builtins, as in V8's own lists, though their symbols are alike.

    Args:
        name: the symbol.
        size: its length in bytes.
        frame_class: as `classify_frame` gave it.
        parsed: as `classify_frame` left it.

    Returns:
        Bits of `FrameFilter`, or FILTER_NONE.
    """
    cdef size_t module_len = dtrace_module_size(name, size)
    if frame_class == CLASS_UNRESOLVED:
        return FILTER_NONE if begins_with(name, size, b"(") else FILTER_UNKNOWN  # `(idle)` is known to be no code
    if frame_class == CLASS_KERNEL and (size == 0 or is_unknown(name, size)):
        return FILTER_UNKNOWN
    if CLASS_APP <= frame_class <= CLASS_CORE or frame_class == CLASS_INIT:
        return FILTER_PRELOAD if is_preload(name, frame_class, parsed) else FILTER_NONE
    if module_len:
        name += module_len + 1
        size -= module_len + 1
    if frame_class == CLASS_LIBC:
        return FILTER_LIBC_START if begins_with(name, size, b"__libc_start") else FILTER_NONE
    if begins_with(name, size, b"Builtins_"):
        if not (frame_class == CLASS_V8 or begins_with(name, size, b"Builtins_Interpreter")):
            return FILTER_NONE
        return FILTER_BUILTINS | FILTER_ICS if is_ic(name, size) else FILTER_BUILTINS
    if parsed.kind == V8_BUILTIN:
        return FILTER_BUILTINS | FILTER_ICS if is_ic(name, size) else FILTER_BUILTINS
    if frame_class != CLASS_V8:
        return FILTER_NONE
    if parsed.kind == V8_STUB:
        return FILTER_STUBS
    if parsed.kind == V8_IC:
        return FILTER_ICS
    if parsed.kind == V8_FUNCTION and parsed.name_len == parsed.file_len == 0:
        return FILTER_BUILTINS
    if parsed.kind == V8_NONE and (
        is_v8_function(name, size, True) or begins_with(name, size, b"_ZN2v88internal")
        or begins_with(name, size, b"_ZNK2v88internal")
    ):
        return FILTER_V8_INTERNALS
    return FILTER_NONE


cdef bint is_ic(const unsigned char* name, size_t size) noexcept nogil:
    """Tell the builtins that are inline caches: `LoadIC`, `KeyedStoreIC_Megamorphic`, `StoreGlobalICTrampoline`."""
    return (
        contains(name, size, b"LoadIC") or contains(name, size, b"StoreIC") or contains(name, size, b"GlobalIC")
        or contains(name, size, b"HasIC") or contains(name, size, b"OwnIC") or contains(name, size, b"LiteralIC")
    )


cdef bint is_preload(const unsigned char* name, uint8_t frame_class, const V8Name* parsed) noexcept nogil:
    """Tell scripts that a profiler has Node load before the program, and what loads them."""
    if frame_class == CLASS_CORE:
        return ends_with(name + parsed.name_at, parsed.name_len, b"reloadModules")
    return contains(name + parsed.file_at, parsed.file_len, b"/0x/lib/preload/")


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


def frame_filters(bytes name, bytes module=None, int kind=0):
    """Name the presets a frame falls under, `0x` aside; `filter_of` for Python.

    Args:
        name, module, kind: as for `class_and_tier`.
    """
    cdef V8Name parsed
    cdef bytes text = b"" if name is None else name
    cdef bytes path = b"" if module is None else module
    cdef uint8_t found = classify_frame(text, len(text), path, len(path), module is not None, kind, &parsed)
    cdef uint8_t bits = filter_of(text, len(text), found, &parsed)
    return {preset for preset, bit in FILTERS.items() if preset != "0x" and bits & bit}
