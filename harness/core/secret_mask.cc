#include "core/secret_mask.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/bytes.h"
#include "core/hash.h"

namespace mailproof {
namespace {

constexpr std::size_t kAnywhere = 8;    ///< octets of a password that is no everyday word
constexpr std::size_t kWord = 4;        ///< ... that is masked where it is a word of its own
constexpr std::size_t kInBase64 = 5;    ///< characters: by chance one in a thousand million
constexpr std::size_t kLeastStart = 4;  ///< of a secret that is cut off

bool alphanumeric(char c) { return (c >= '0' && c <= '9') || (to_lower(c) >= 'a' && to_lower(c) <= 'z'); }
bool of_base64(char c) { return alphanumeric(c) || c == '+' || c == '/' || c == '-' || c == '_'; }

template <class Escape>
std::string escaped(std::string_view text, Escape&& escape) {
  std::string out;
  for (const char c : text) out += escape(c, static_cast<unsigned char>(c));
  return out;
}

/// RFC 3501 section 9, quoted: the two quoted-specials.
std::string quoted(std::string_view text) {
  return escaped(text, [](char c, unsigned char) {
    return c == '"' || c == '\\' ? std::string{'\\', c} : std::string(1, c);
  });
}

std::string json(std::string_view text) {
  return escaped(text, [](char c, unsigned char byte) {
    if (c == '"' || c == '\\') return std::string{'\\', c};
    return byte < 0x20 ? fmt::format("\\u{:04x}", byte) : std::string(1, c);
  });
}

std::string html(std::string_view text, std::string_view apostrophe) {
  return escaped(text, [&](char c, unsigned char) -> std::string {
    switch (c) {
      case '&':
        return "&amp;";
      case '<':
        return "&lt;";
      case '>':
        return "&gt;";
      case '"':
        return "&quot;";
      case '\'':
        return std::string(apostrophe);
      default:
        return std::string(1, c);
    }
  });
}

/// RFC 3986 section 2.1; the unreserved characters stay.
std::string percent(std::string_view text, bool upper) {
  return escaped(text, [&](char c, unsigned char byte) {
    if (alphanumeric(c) || std::string_view("-._~").find(c) != std::string_view::npos) return std::string(1, c);
    return upper ? fmt::format("%{:02X}", byte) : fmt::format("%{:02x}", byte);
  });
}

std::string without_padding(std::string text) {
  while (!text.empty() && text.back() == '=') text.pop_back();
  return text;
}

std::vector<SecretMask::Range> merged(std::vector<SecretMask::Range> found) {
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.from < b.from; });
  std::vector<SecretMask::Range> out;
  for (const auto& range : found) {
    if (!out.empty() && range.from <= out.back().to)
      out.back().to = std::max(out.back().to, range.to);
    else
      out.push_back(range);
  }
  return out;
}

bool whole_word(std::string_view text, std::size_t from, std::size_t to) {
  return (from == 0 || !alphanumeric(text[from - 1])) && (to == text.size() || !alphanumeric(text[to]));
}

}  // namespace

void SecretMask::form(std::string text, Where where, std::size_t shown) {
  const bool known = std::any_of(forms_.begin(), forms_.end(), [&](const Form& f) { return f.text == text; });
  if (text.empty() || known) return;
  longest_ = std::max(longest_, text.size());
  forms_.push_back({std::move(text), where, shown});
}

void SecretMask::add(std::string_view user, const Secret& secret) {
  const std::string_view password = secret.reveal();
  if (password.empty()) return;
  const Where where = password.size() >= kAnywhere ? Where::anywhere : Where::word;
  for (const std::string& text :
       {std::string(password), quoted(password), json(password), html(password, "&#39;"), html(password, "&apos;"),
        percent(password, true), percent(password, false), printable(password, 8 * password.size())}) {
    if (password.size() >= kWord) {
      form(text, where);
    } else {
      for (const std::string& before :
           {std::string("PASS "), std::string("pass "), std::string("Pass "), fmt::format("{} ", user),
            fmt::format("{}\" \"", user), fmt::format("{}:", user)})
        form(before + text, Where::word, before.size());
    }
  }
  base64_forms(user, password);
}

/// Three octets are four characters: where the password begins within three decides how it reads. What its neighbours
/// have a share in is left out, and the whole run of base64 around a hit is masked.
void SecretMask::base64_forms(std::string_view user, std::string_view password) {
  bool all = true;
  for (std::size_t before = 0; before < 3; ++before) {
    const std::string text = base64(std::string(before, '\0') + std::string(password));
    const std::size_t from = (8 * before + 5) / 6, to = 8 * (before + password.size()) / 6;
    if (to < from + kInBase64) {
      all = false;
      continue;
    }
    std::string inner = text.substr(from, to - from), of_urls = inner;
    std::replace(of_urls.begin(), of_urls.end(), '+', '-');
    std::replace(of_urls.begin(), of_urls.end(), '/', '_');
    form(std::move(inner), Where::in_base64);
    form(std::move(of_urls), Where::in_base64);
  }
  if (all) return;
  // RFC 4616: [authzid] NUL authcid NUL passwd; LOGIN sends the password alone.
  for (const std::string_view authzid : {std::string_view(), user})
    form(without_padding(base64(fmt::format("{}{}{}{}{}", authzid, '\0', user, '\0', password))), Where::in_base64);
  if (password.size() >= 2) form(without_padding(base64(password)), Where::word);
}

std::vector<SecretMask::Range> SecretMask::find(std::string_view text, bool words) const {
  std::vector<Range> found;
  for (const Form& form : forms_) {
    if (!words && form.where == Where::word) continue;
    for (auto at = text.find(form.text); at != std::string_view::npos; at = text.find(form.text, at + 1)) {
      Range range{at, at + form.text.size()};
      if (form.where == Where::word && !whole_word(text, range.from, range.to)) continue;
      if (form.where == Where::in_base64) {
        while (range.from > 0 && of_base64(text[range.from - 1])) --range.from;
        while (range.to < text.size() && of_base64(text[range.to])) ++range.to;
      }
      while (form.where != Where::anywhere && range.to < text.size() && text[range.to] == '=') ++range.to;
      range.from += form.shown;
      found.push_back(range);
      at = range.to - 1;
    }
  }
  return merged(std::move(found));
}

namespace {

void replace(std::string& text, const std::vector<SecretMask::Range>& ranges) {
  for (auto range = ranges.rbegin(); range != ranges.rend(); ++range)
    text.replace(range->from, range->to - range->from, "***");
}

}  // namespace

void SecretMask::mask(std::string& text) const {
  if (text.empty() || forms_.empty()) return;
  std::vector<Range> ranges = find(text, true);
  const std::string_view whole = text;
  // Where the beginning of a secret stands that this ends in; its size if there is none.
  const auto cut_off = [this](std::string_view head) {
    std::size_t start = head.size();
    for (const Form& form : forms_) {
      if (form.where == Where::word) continue;
      for (std::size_t n = std::min(form.text.size() - 1, head.size()); n >= kLeastStart; --n) {
        if (form.text[n - 1] != head.back() || !head.ends_with(std::string_view(form.text).substr(0, n))) continue;
        start = std::min(start, head.size() - n);
        break;
      }
    }
    return start;
  };
  // Others cut what they quote: behind the whole text, before "..." and before a quotation's end.
  for (std::size_t end = 0; end <= whole.size(); ++end)
    if (end == whole.size() || whole[end] == '"' || whole.substr(end, 3) == "...")
      if (const std::size_t start = cut_off(whole.substr(0, end)); start < end) ranges.push_back({start, end});
  replace(text, merged(std::move(ranges)));
}

void SecretMask::mask_name(std::string& name) const {
  if (!name.empty() && !forms_.empty()) replace(name, find(name, false));
}

}  // namespace mailproof
