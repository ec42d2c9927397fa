#pragma once
#include <fmt/format.h>

/// libfmt has this function ready, and no header of it says so: every file that appends with fmt::format_to to a string
/// would compile all of fmt's formatting again (fmt 9 leaves the declaration out for one warning of clang's about
/// exported names, its issue 2377). The precompiled headers include this; who compiles without them only takes longer.
/// clang 14 has another name for it than g++, which made the library.
#ifndef __clang__
extern template void fmt::detail::vformat_to<char>(buffer<char>&, basic_string_view<char>,
                                                   basic_format_args<FMT_BUFFER_CONTEXT(char)>, locale_ref);
#endif
