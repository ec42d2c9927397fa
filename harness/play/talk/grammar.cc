#include "play/talk/grammar.h"

#include "core/bytes.h"
#include "wire/imap/framer.h"
#include "wire/imap/response.h"

namespace mailproof::play {
namespace {

struct Reader final : imap::FramerSink {
  imap::LiteralAction on_literal_begin(const imap::LiteralBegin&) override { return imap::LiteralAction::keep; }
  void on_line(const imap::LogicalLine& line) override {
    imap::Response response;
    imap::Deviations deviations;
    decode_response(line, response, &deviations);
    deviations.for_each(
        [this](const imap::Deviation& d) {
          found.push_back({std::string(imap::name(d.code)), d.told()});
        },
        0);
    const bool unreadable = response.kind == imap::Response::Kind::unreadable && !response.beyond_bounds;
    if (unreadable && istarts_with(line.text, "* VANISHED"))
      found.push_back({"imap.vanished.unreadable", printable(line.text, 80)});
    if (is_unreadable_row(line, response)) found.push_back({"imap.fetch.unreadable", printable(response.problem, 160)});
  }
  std::vector<Departure> found;
};

}  // namespace

std::vector<Departure> departures(std::string_view line) {
  Reader reader;
  imap::Framer framer(imap::Framer::Reads::responses, reader);
  framer.feed(line);
  framer.feed("\r\n");
  // Numbers are read before the line is one.
  framer.deviations().for_each([&](const imap::Deviation& d) {
    if (d.code == imap::DeviationCode::space_extra || d.code == imap::DeviationCode::number_zero)
      reader.found.push_back({std::string(imap::name(d.code)), d.told()});
  });
  return std::move(reader.found);
}

}  // namespace mailproof::play
