#include "wire/mime/header.h"

#include <algorithm>
#include <utility>

#include "core/bytes.h"
#include "wire/text/words.h"

namespace mailproof::mime {
namespace {

std::size_t line_end(std::string_view text, std::size_t from) {
  const std::size_t lf = text.find('\n', from);
  return lf == std::string_view::npos ? text.size() : lf + 1;
}

bool is_blank(char c) { return c == ' ' || c == '\t'; }

/// field-name = 1*ftext; blanks before the colon are obsolete syntax (RFC 5322 section 4.5).
std::string_view field_name(std::string_view field) {
  const std::size_t colon = field.find(':');
  if (colon == std::string_view::npos) return {};
  std::string_view name = field.substr(0, colon);
  while (!name.empty() && is_blank(name.back())) name.remove_suffix(1);
  for (const char c : name)
    if (c <= ' ' || c >= 0x7f) return {};
  return name;
}

std::string_view field_body(std::string_view field, std::string_view name) {
  if (name.empty()) return field;
  return field.substr(field.find(':') + 1);
}

}  // namespace

std::optional<Field> take_field(std::string_view& rest) {
  if (rest.empty() || rest.starts_with("\r\n") || rest.starts_with('\n')) return std::nullopt;
  std::size_t end = line_end(rest, 0);
  while (end < rest.size() && is_blank(rest[end])) end = line_end(rest, end);
  Field field;
  field.raw = rest.substr(0, end);
  rest.remove_prefix(end);
  std::string_view text = field.raw;
  if (text.ends_with('\n')) text.remove_suffix(1);
  if (text.ends_with('\r')) text.remove_suffix(1);
  field.name = field_name(text);
  field.body = field_body(text, field.name);
  return field;
}

std::size_t header_size(std::string_view entity) {
  std::size_t at = 0;
  while (at < entity.size()) {
    const std::size_t end = line_end(entity, at);
    const std::string_view line = entity.substr(at, end - at);
    if (line == "\r\n" || line == "\n") return end;
    at = end;
  }
  return entity.size();
}

std::string unfold(std::string_view body) {
  std::string out;
  out.reserve(body.size());
  for (const char c : text::trim(body))
    if (c != '\r' && c != '\n') out += c;
  return out;
}

std::optional<std::string> find_field(std::string_view header, std::string_view name) {
  while (const auto field = take_field(header))
    if (iequals(field->name, name)) return unfold(field->body);
  return std::nullopt;
}

bool HeaderReader::emit() {
  if (pending_.empty()) return false;
  std::swap(field_, pending_);
  pending_.clear();
  cut_ = std::exchange(pending_cut_, false);
  return true;
}

HeaderReader::Event HeaderReader::next(std::string_view& in) {
  while (!done_ && !in.empty()) {
    const bool continues = !pending_.empty() && is_blank(in.front());
    if (!lines_.in_line() && !continues && emit()) return Event::field;
    const std::size_t before = in.size();
    const auto line = lines_.next(in);
    octets_ += before - in.size();
    if (!line) break;
    if (line->text.empty()) {
      done_ = true;
      return Event::end;
    }
    const std::size_t room = kFieldLimit - std::min(kFieldLimit, pending_.size());
    pending_ += line->text.substr(0, room);
    pending_cut_ = pending_cut_ || line->cut || line->text.size() > room;
  }
  return Event::more;
}

HeaderReader::Event HeaderReader::finish() {
  if (done_) return Event::end;
  pending_ += lines_.unfinished();
  lines_ = text::LineReader(kFieldLimit);
  if (emit()) return Event::field;
  done_ = true;
  return Event::end;
}

std::string_view HeaderReader::name() const { return field_name(field_); }
std::string HeaderReader::value() const { return unfold(field_body(field_, field_name(field_))); }

}  // namespace mailproof::mime
