#include "history/names.h"

namespace mailproof::history {

std::string_view name(Type type) { return word_for(kTypes, type); }
std::string_view name(What what) { return word_for(kWhats, what); }

}  // namespace mailproof::history
