#include "play/talk/imaptest_match.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "core/bytes.h"

namespace mailproof::play {
namespace {

constexpr std::size_t kDeepest = 32;

bool is_name(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'; }

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return out;
}

bool is_directive(std::string_view text) { return text.starts_with("$!"); }

}  // namespace

/// Arguments as ImapTest cuts them: an atom ends at a blank, or at the parenthesis that closes its list.
class ImapTestMatcher::Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  std::vector<Arg> run(bool in_list = false) {
    std::vector<Arg> out;
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == ' ') {
        ++at_;
      } else if (c == ')' && in_list) {
        ++at_;
        return out;
      } else {
        out.push_back(one(in_list));
      }
    }
    return out;
  }

 private:
  Arg one(bool in_list) {
    const char c = text_[at_];
    if (c == '(' && depth_ < kDeepest) {
      ++at_;
      ++depth_;
      Arg out{Arg::Kind::list, "", run(true)};
      --depth_;
      return out;
    }
    if (c == '"') return quoted();
    if (auto literal = counted()) return *literal;
    Arg out;
    while (at_ < text_.size() && text_[at_] != ' ' && !(text_[at_] == ')' && in_list)) out.text += text_[at_++];
    if (iequals(out.text, "NIL")) out.kind = Arg::Kind::nil;
    return out;
  }

  Arg quoted() {
    Arg out{Arg::Kind::string, ""};
    for (++at_; at_ < text_.size() && text_[at_] != '"'; ++at_) {
      if (text_[at_] == '\\' && at_ + 1 < text_.size()) ++at_;
      out.text += text_[at_];
    }
    ++at_;
    return out;
  }

  std::optional<Arg> counted() {
    std::string_view rest = text_.substr(at_);
    if (rest.starts_with('~')) rest.remove_prefix(1);
    if (!rest.starts_with('{')) return std::nullopt;
    const auto close = rest.find('}');
    if (close == std::string_view::npos || rest.substr(close, 3) != "}\r\n") return std::nullopt;
    std::string_view digits = rest.substr(1, close - 1);
    if (digits.ends_with('+')) digits.remove_suffix(1);
    const auto size = number(digits);
    if (!size) return std::nullopt;
    const std::string_view body = rest.substr(close + 3, static_cast<std::size_t>(*size));
    at_ = static_cast<std::size_t>(body.data() + body.size() - text_.data());
    return Arg{Arg::Kind::string, std::string(body)};
  }

  std::string_view text_;
  std::size_t at_ = 0, depth_ = 0;
};

/// What its page calls the defaults: of lists that begin with no directive.
void ImapTestMatcher::add_defaults(std::vector<Arg>& pattern) {
  const auto put = [](Arg& list, std::initializer_list<std::string_view> directives) {
    if (list.kind != Arg::Kind::list || (!list.items.empty() && is_directive(list.items.front().text))) return;
    std::vector<Arg> items;
    for (const auto one : directives) items.push_back({Arg::Kind::atom, std::string(one)});
    items.insert(items.end(), list.items.begin(), list.items.end());
    list.items = std::move(items);
  };
  const auto word = [&](std::size_t i, std::string_view text) {
    return pattern.size() > i && pattern[i].kind == Arg::Kind::atom && iequals(pattern[i].text, text);
  };
  if ((word(0, "LIST") || word(0, "LSUB")) && pattern.size() > 1) put(pattern[1], {"$!unordered"});
  if (word(0, "STATUS") && pattern.size() > 2) put(pattern[2], {"$!unordered=2"});
  if (!word(1, "FETCH") || pattern.size() < 3 || pattern[2].kind != Arg::Kind::list) return;
  put(pattern[2], {"$!unordered=2"});
  std::vector<Arg>& items = pattern[2].items;
  for (std::size_t i = 1; i < items.size(); ++i)
    if (iequals(items[i - 1].text, "FLAGS"))
      put(items[i],
          {"$!unordered", "$!noextra", "$!ignore=\\recent", "$!ignore=$HasAttachment", "$!ignore=$HasNoAttachment"});
}

void ImapTestMatcher::begin(std::string tag) {
  tag_ = std::move(tag);
  expunged_.clear();
}

bool ImapTestMatcher::matches(std::string_view pattern, std::string_view reply, bool prefix) {
  std::vector<Arg> wanted = Reader(pattern).run();
  add_defaults(wanted);
  const std::vector<Arg> came = Reader(reply).run();
  TalkTrial trial(variables_);
  return args(wanted, 0, wanted.size(), came, 0, prefix) && trial.keep();
}

/// `most` of the pattern's arguments, from `from` on, against those of the reply from `at` on.
bool ImapTestMatcher::args(const std::vector<Arg>& pattern, std::size_t from, std::size_t most,
                           const std::vector<Arg>& reply, std::size_t at, bool prefix) {
  const std::size_t end = std::min(from + most, pattern.size());
  for (std::size_t i = from; i < end; ++i, ++at) {
    const Arg& want = pattern[i];
    if (want.text == "$]") {  // up to the end of a response code
      while (at < reply.size() && reply[at].kind == Arg::Kind::atom && reply[at].text.find(']') == std::string::npos)
        ++at;
      continue;
    }
    if (at >= reply.size()) return prefix && want.text.empty() && want.kind == Arg::Kind::string;
    const Arg& have = reply[at];
    if (want.kind == Arg::Kind::list) {
      if (have.kind != Arg::Kind::list || !list(want.items, have.items)) return false;
    } else if (want.kind == Arg::Kind::nil) {
      if (have.kind != Arg::Kind::nil) return false;
    } else if (have.kind == Arg::Kind::list) {
      if (want.text != "$") return false;
    } else if (have.kind == Arg::Kind::nil || !text(want.text, have.text, prefix && i + 1 == pattern.size())) {
      return false;
    }
  }
  return prefix || at >= reply.size() || most < pattern.size() - from;
}

bool ImapTestMatcher::list(const std::vector<Arg>& pattern, const std::vector<Arg>& reply) {
  bool unordered = false;
  std::optional<bool> no_extra;
  std::size_t chain = 1, begin = 0;
  std::vector<std::string> ignored, banned;
  for (; begin < pattern.size() && is_directive(pattern[begin].text); ++begin) {
    const std::string_view word = std::string_view(pattern[begin].text).substr(2);
    if (word.starts_with("unordered")) {
      unordered = true;
      if (!no_extra) no_extra = false;
      if (word.size() > 10) chain = static_cast<std::size_t>(number(word.substr(10)).value_or(1));
    } else if (word == "ordered") {
      unordered = false;
    } else if (word == "extra" || word == "noextra") {
      no_extra = word == "noextra";
    } else if (word.starts_with("ignore=")) {
      ignored.emplace_back(word.substr(7));
    } else if (word.starts_with("ban=")) {
      banned.emplace_back(word.substr(4));
    }
  }
  if (!unordered) return args(pattern, begin, pattern.size() - begin, reply, 0, false);
  chain = std::max<std::size_t>(chain, 1);
  if (reply.size() % chain != 0) return false;
  std::vector<bool> taken(reply.size());
  for (std::size_t i = begin; i < pattern.size(); i += chain) {
    bool found = false;
    for (std::size_t j = 0; j < reply.size() && !found; j += chain) {
      TalkTrial trial(variables_);
      const std::vector<Arg> link(reply.begin() + static_cast<std::ptrdiff_t>(j),
                                  reply.begin() + static_cast<std::ptrdiff_t>(j + chain));
      if (args(pattern, i, chain, link, 0, false)) taken[j] = found = trial.keep();
    }
    if (!found) return false;
  }
  const auto among = [](const std::vector<std::string>& words, const std::string& text) {
    return std::any_of(words.begin(), words.end(), [&](const std::string& word) { return iequals(word, text); });
  };
  for (std::size_t j = 0; j < reply.size(); j += chain) {
    if (taken[j] || reply[j].kind == Arg::Kind::list || reply[j].kind == Arg::Kind::nil) continue;
    if (no_extra.value_or(true) ? !among(ignored, reply[j].text) : among(banned, reply[j].text)) return false;
  }
  return true;
}

/// Which number has now what was the n-th when the group began; empty: it is gone.
std::string ImapTestMatcher::relative(std::uint32_t seq) const {
  for (const std::uint32_t gone : expunged_) {
    if (gone == seq) return {};
    if (gone < seq) --seq;
  }
  return std::to_string(seq);
}

/// "$modseq5" is at least three more than "$modseq2" was.
bool ImapTestMatcher::modseq(const std::string& name, std::uint64_t index, const std::string& value) {
  const auto came = number(value);
  if (!came || index < modseq_index_ || *came < modseq_value_ + (index - modseq_index_)) return false;
  modseq_index_ = index;
  modseq_value_ = *came;
  return bind_variable({name, ""}, value, variables_);
}

bool ImapTestMatcher::text(std::string_view pattern, std::string_view text, bool prefix) {
  constexpr std::string_view kCase = "case:";
  bool any_case = true;
  std::string wanted;
  std::string_view rest = text;
  const auto literally = [&](std::string_view part) {
    const auto have = rest.substr(0, part.size());
    if (any_case ? !iequals(have, part) : have != part) return false;
    rest.remove_prefix(part.size());
    return true;
  };
  for (std::size_t i = 0; i < pattern.size();) {
    if (pattern[i] != '$' || pattern.substr(i, 2) == "$$") {
      i += pattern[i] == '$' ? 1 : 0;
      if (!literally(pattern.substr(i, 1))) return false;
      ++i;
      continue;
    }
    std::size_t end = ++i;
    std::string name;
    if (end < pattern.size() && pattern[end] == '{') {
      const auto close = std::min(pattern.find('}', end), pattern.size());
      name = pattern.substr(end + 1, close - end - 1);
      end = std::min(close + 1, pattern.size());
    } else {
      while (end < pattern.size() && is_name(pattern[end])) ++end;
      name = pattern.substr(i, end - i);
    }
    i = end;
    if (std::string_view(name).starts_with(kCase)) {
      any_case = false;
      if (!literally(std::string_view(name).substr(kCase.size()))) return false;
      any_case = true;
      continue;
    }
    if (name == "mailbox") name = "box";
    const auto index = number(name);
    const auto known = variables_.values.find(name);
    if (index || name == "tag" || known != variables_.values.end()) {
      const std::string value = index           ? relative(static_cast<std::uint32_t>(*index))
                                : name == "tag" ? tag_
                                                : known->second;
      if (value.empty() && index) return false;
      if (!rest.starts_with(value)) return false;
      rest.remove_prefix(value.size());
      continue;
    }
    // Up to the first letter of what follows in the pattern.
    std::size_t length = rest.size();
    if (i < pattern.size() && pattern[i] != '$') {
      const auto stop = std::find_if(rest.begin(), rest.end(), [&](char c) {
        return iequals({&c, 1}, pattern.substr(i, 1));
      });
      length = static_cast<std::size_t>(stop - rest.begin());
    }
    const std::string value(rest.substr(0, length));
    rest.remove_prefix(length);
    if (name.empty()) continue;
    const auto modseq_number = name.starts_with("modseq") ? number(std::string_view(name).substr(6)) : std::nullopt;
    if (modseq_number ? !modseq(name, *modseq_number, value) : !bind_variable({name, ""}, value, variables_))
      return false;
  }
  return prefix || rest.empty();
}

}  // namespace mailproof::play
