#pragma once
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "core/secret.h"

namespace mailproof {

/// Finds passwords in what others said before it is written down, and puts *** in their place: as they are, in base64
/// (alone, or within AUTH PLAIN's or anybody else's), in a quoted string, in JSON, in HTML, percent-encoded, and as our
/// own logs show octets.
///
/// How much of a text that takes away depends on the password. One of 8 octets and more is masked wherever it stands. A
/// shorter one may be an everyday word or a part of one: of 4 to 7 octets it is masked where it stands as a word of its
/// own; of fewer only behind what a login puts before it (PASS, the user's name). In base64 all are masked where the
/// five characters that the password alone decides are there; of a shorter one the whole of what a login sends.
class SecretMask {
 public:
  void add(std::string_view user, const Secret& password);

  bool empty() const { return forms_.empty(); }
  /// Octets of the longest form: no more than this must be looked at together.
  std::size_t longest() const { return longest_; }

  struct Range {
    std::size_t from = 0, to = 0;
  };
  /// Places of secrets in a text, ascending, none touching another.
  std::vector<Range> find(std::string_view text) const { return find(text, true); }
  /// In a text that may be cut at its end: also the beginning of a secret there, of 4 octets and more.
  void mask(std::string& text) const;
  /// In a name that others compare: only what is long enough to be masked wherever it stands.
  void mask_name(std::string& name) const;
  std::string masked(std::string text) const {
    mask(text);
    return text;
  }

 private:
  enum class Where { anywhere, word, in_base64 };
  struct Form {
    std::string text;
    Where where = Where::anywhere;
    std::size_t shown = 0;  ///< octets at its beginning that are no secret: "PASS "
  };
  void form(std::string text, Where where, std::size_t shown = 0);
  void base64_forms(std::string_view user, std::string_view password);
  std::vector<Range> find(std::string_view text, bool words) const;

  std::vector<Form> forms_;
  std::size_t longest_ = 0;
};

}  // namespace mailproof
