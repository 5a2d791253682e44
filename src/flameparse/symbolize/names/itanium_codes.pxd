"""What the letters of mangled C++ names stand for."""


cdef extern from *:
    """
    #include <stddef.h>

    /* The types of one letter, `a` to `z`. */
    static const char *const fp_builtins[26] = {
        "signed char", "bool", "char", "double", "long double", "float", "__float128", "unsigned char", "int",
        "unsigned int", NULL, "long", "unsigned long", "__int128", "unsigned __int128", NULL, NULL, NULL, "short",
        "unsigned short", NULL, "void", "wchar_t", "long long", "unsigned long long", "...",
    };

    typedef struct { char code[3]; unsigned char operands; const char *text; } fp_operator;
    static const fp_operator fp_operators[] = {
        {"aN", 2, "&="}, {"aS", 2, "="}, {"aa", 2, "&&"}, {"ad", 1, "&"}, {"an", 2, "&"}, {"at", 1, "alignof "},
        {"aw", 1, "co_await "}, {"az", 1, "alignof "}, {"cc", 2, "const_cast"}, {"cl", 2, "()"}, {"cm", 2, ","},
        {"co", 1, "~"}, {"dV", 2, "/="}, {"da", 1, "delete[] "}, {"dc", 2, "dynamic_cast"}, {"de", 1, "*"},
        {"dl", 1, "delete "}, {"ds", 2, ".*"}, {"dt", 2, "."}, {"dv", 2, "/"}, {"eO", 2, "^="}, {"eo", 2, "^"},
        {"eq", 2, "=="}, {"ge", 2, ">="}, {"gs", 1, "::"}, {"gt", 2, ">"}, {"ix", 2, "[]"}, {"lS", 2, "<<="},
        {"le", 2, "<="}, {"ls", 2, "<<"}, {"lt", 2, "<"}, {"mI", 2, "-="}, {"mL", 2, "*="},
        {"mi", 2, "-"}, {"ml", 2, "*"}, {"mm", 1, "--"}, {"na", 3, "new[]"}, {"ne", 2, "!="}, {"ng", 1, "-"},
        {"nt", 1, "!"}, {"nw", 3, "new"}, {"oR", 2, "|="}, {"oo", 2, "||"}, {"or", 2, "|"},
        {"pL", 2, "+="}, {"pl", 2, "+"}, {"pm", 2, "->*"}, {"pp", 1, "++"}, {"ps", 1, "+"}, {"pt", 2, "->"},
        {"qu", 3, "?"}, {"rM", 2, "%="}, {"rS", 2, ">>="}, {"rc", 2, "reinterpret_cast"}, {"rm", 2, "%"},
        {"rs", 2, ">>"}, {"sc", 2, "static_cast"}, {"ss", 2, "<=>"}, {"st", 1, "sizeof "}, {"sz", 1, "sizeof "},
        {"tr", 0, "throw"}, {"tw", 1, "throw "},
        /* perf 6.1 knows all but these. */
        {"nx", 1, "noexcept"}, {"te", 1, "typeid "}, {"ti", 1, "typeid "},
    };
    #define FP_NEWER_OPERATORS 3
    #define FP_OPERATORS (sizeof(fp_operators) / sizeof(fp_operators[0]))

    typedef struct { char code[3]; const char *text; } fp_coded;
    /* The types of `D` and a letter that are no more than a word. */
    static const fp_coded fp_words[] = {
        {"Da", "auto"}, {"Dc", "decltype(auto)"}, {"Dd", "decimal64"}, {"De", "decimal128"}, {"Df", "decimal32"},
        {"Dh", "half"}, {"Di", "char32_t"}, {"Dn", "decltype(nullptr)"}, {"Ds", "char16_t"}, {"Du", "char8_t"},
        {"", NULL},
    };
    /* What is called after something else: by the type or name that follows the code. */
    static const fp_coded fp_specials_of_types[] = {
        {"TV", "vtable for "}, {"TT", "VTT for "}, {"TI", "typeinfo for "}, {"TS", "typeinfo name for "},
        {"TF", "typeinfo fn for "}, {"TJ", "java Class for "}, {"", NULL},
    };
    static const fp_coded fp_specials_of_names[] = {
        {"TH", "TLS init function for "}, {"TW", "TLS wrapper function for "}, {"GV", "guard variable for "},
        {"", NULL},
    };
    /* The abbreviations of std: as most print them, as they are where a constructor follows, and its name. */
    typedef struct { char letter; const char *text, *full, *constructor; } fp_standard;
    static const fp_standard fp_standards[] = {
        {'t', "std", "std", NULL},
        {'a', "std::allocator", "std::allocator", "allocator"},
        {'b', "std::basic_string", "std::basic_string", "basic_string"},
        {'s', "std::string", "std::basic_string<char, std::char_traits<char>, std::allocator<char> >", "basic_string"},
        {'i', "std::istream", "std::basic_istream<char, std::char_traits<char> >", "basic_istream"},
        {'o', "std::ostream", "std::basic_ostream<char, std::char_traits<char> >", "basic_ostream"},
        {'d', "std::iostream", "std::basic_iostream<char, std::char_traits<char> >", "basic_iostream"},
        {0, NULL, NULL, NULL},
    };
    """
    ctypedef struct Operator "fp_operator":
        const char* code
        unsigned char operands
        const char* text

    ctypedef struct Coded "fp_coded":
        const char* code
        const char* text

    ctypedef struct Standard "fp_standard":
        char letter
        const char* text
        const char* full
        const char* constructor

    const char** BUILTINS "fp_builtins"
    const Operator* OPERATORS "fp_operators"
    int OPERATOR_COUNT "FP_OPERATORS"
    int NEWER_OPERATOR_COUNT "FP_NEWER_OPERATORS"
    const Coded* WORDS "fp_words"
    const Coded* SPECIALS_OF_TYPES "fp_specials_of_types"
    const Coded* SPECIALS_OF_NAMES "fp_specials_of_names"
    const Standard* STANDARDS "fp_standards"
