#include "wire/imap/deviation.h"

#include <fmt/format.h>

#include "core/bytes.h"

namespace mailproof::imap {

std::string_view name(DeviationCode code) {
  switch (code) {
    case DeviationCode::bare_lf:
      return "imap.crlf.bare_lf";
    case DeviationCode::bare_cr:
      return "imap.crlf.bare_cr";
    case DeviationCode::nul:
      return "imap.nul";
    case DeviationCode::atom_8bit:
      return "imap.atom.8bit";
    case DeviationCode::control_char:
      return "imap.control_char";
    case DeviationCode::space_missing:
      return "imap.sp.missing";
    case DeviationCode::space_extra:
      return "imap.sp.extra";
    case DeviationCode::text_missing:
      return "imap.text.missing";
    case DeviationCode::number_overflow:
      return "imap.number.overflow";
    case DeviationCode::number_zero:
      return "imap.number.zero";
    case DeviationCode::list_unbalanced:
      return "imap.list.unbalanced";
    case DeviationCode::list_too_deep:
      return "imap.list.too_deep";
    case DeviationCode::line_too_long:
      return "imap.line.too_long";
    case DeviationCode::literal_malformed:
      return "imap.literal.malformed";
    case DeviationCode::literal_too_large:
      return "imap.literal.too_large";
    case DeviationCode::literal_nonsync_from_server:
      return "imap.literal.nonsync_from_server";
    case DeviationCode::literal_too_many:
      return "imap.literal.too_many";
    case DeviationCode::string_unterminated:
      return "imap.string.unterminated";
    case DeviationCode::syntax:
      return "imap.syntax";
    case DeviationCode::unknown_response:
      return "imap.response.unknown";
    case DeviationCode::envelope:
      return "imap.envelope";
    case DeviationCode::bodystructure:
      return "imap.bodystructure";
  }
  return "imap.unknown";
}

std::string Deviation::told() const {
  const std::string found = printable(excerpt());
  return expected == nullptr ? found
                             : fmt::format("expected {}, found {}", expected, found.empty() ? "the end" : found);
}

}  // namespace mailproof::imap
