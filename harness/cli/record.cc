#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <functional>
#include <optional>

#include "cli/commands.h"
#include "cli/output.h"
#include "cli/recorded.h"
#include "core/units.h"
#include "host/signals.h"
#include "import/record/proxy.h"
#include "wire/text/words.h"

namespace mailproof::cli {
namespace {

struct RecordFlags {
  std::vector<std::string> listen, upstream;
  std::string out, certificate, key, ca, stop_after;
  bool insecure = false, all_clients = false, strict = false;
};

/// Rings every second.
class Pulse final : public Alarm {
 public:
  Pulse(net::Loop& loop, std::function<void()> beat) : loop_(loop), beat_(std::move(beat)) { again(); }
  ~Pulse() override { loop_.set_alarm(*this, std::nullopt); }
  Pulse(const Pulse&) = delete;
  void ring(Time) override {
    beat_();
    again();
  }

 private:
  void again() { loop_.set_alarm(*this, loop_.now() + std::chrono::seconds(1)); }
  net::Loop& loop_;
  std::function<void()> beat_;
};

/// "imap:127.0.0.1:1143", "pop3s:mail.example.test:995".
struct Place {
  Protocol protocol = Protocol::imap;
  bool tls = false;
  std::string host;
  std::uint16_t port = 0;
};

Result<Place> read_place(const std::string& option, const std::string& text, bool may_be_free) {
  Place out;
  const std::size_t first = text.find(':'), last = text.rfind(':');
  const Error wrong(option + " " + text, "expected PROTOCOL:HOST:PORT, as imap:127.0.0.1:1143");
  if (first == std::string::npos || last == first) return wrong;
  const std::string word = text.substr(0, first), port = text.substr(last + 1);
  constexpr std::pair<const char*, Protocol> kProtocols[] = {
      {"imap", Protocol::imap}, {"pop3", Protocol::pop3}, {"smtp", Protocol::smtp}, {"lmtp", Protocol::lmtp}};
  const auto known = std::find_if(std::begin(kProtocols), std::end(kProtocols), [&](const auto& one) {
    return word == one.first || word == std::string(one.first) + "s";
  });
  if (known == std::end(kProtocols)) {
    const auto nearest = nearest_word(word, {"imap", "imaps", "pop3", "pop3s", "smtp", "smtps", "lmtp"});
    return Error(option + " " + text,
                 fmt::format("'{}' is no protocol: expected imap, imaps, pop3, pop3s, smtp, smtps or lmtp{}", word,
                             nearest ? fmt::format("; did you mean '{}'?", *nearest) : ""));
  }
  out.protocol = known->second;
  out.tls = word.ends_with('s');
  out.host = text.substr(first + 1, last - first - 1);
  if (out.host.starts_with('[') && out.host.ends_with(']')) out.host = out.host.substr(1, out.host.size() - 2);
  const auto number = text::parse_number<std::uint16_t>(port);
  if (!number || (*number == 0 && !may_be_free) || out.host.empty()) return wrong;
  out.port = *number;
  return out;
}

/// The ways through, in the order of --listen: the first of a protocol leads to the first --upstream of it.
Result<std::vector<imports::Passage>> passages(const RecordFlags& flags, std::shared_ptr<net::TlsContext> tls) {
  std::vector<Place> upstream;
  for (const std::string& text : flags.upstream) {
    auto place = read_place("--upstream", text, false);
    if (!place) return place.error();
    upstream.push_back(*place);
  }
  std::vector<imports::Passage> out;
  for (const std::string& text : flags.listen) {
    auto place = read_place("--listen", text, true);
    if (!place) return place.error();
    if (place->tls && !tls) return Error("--listen " + text, "TLS needs both --cert and --key");
    const auto to = std::find_if(upstream.begin(), upstream.end(),
                                 [&](const Place& one) { return one.protocol == place->protocol; });
    if (to == upstream.end())
      return Error("--listen " + text, fmt::format("there is no --upstream {}:HOST:PORT", name(place->protocol)));
    imports::Passage passage;
    passage.listen.host = place->host;
    passage.listen.port = place->port;
    passage.listen.tls_first = place->tls;
    passage.listen.tls = tls;
    passage.upstream.protocol = to->protocol;
    passage.upstream.host = to->host;
    passage.upstream.port = to->port;
    // Where the client begins with TLS it does not ask for it again.
    passage.upstream.tls = to->tls ? TlsMode::implicit : tls && !place->tls ? TlsMode::starttls : TlsMode::none;
    out.push_back(std::move(passage));
    upstream.erase(to);
  }
  if (!upstream.empty())
    return Error("", fmt::format("--upstream {}:{}:{} has no --listen of its protocol", name(upstream.front().protocol),
                                 upstream.front().host, upstream.front().port));
  return out;
}

int record(const RecordFlags& flags) {
  if (flags.certificate.empty() != flags.key.empty()) return complain("TLS needs both --cert and --key");
  std::optional<Duration> bound;
  if (!flags.stop_after.empty()) {
    const auto parsed = parse_duration(flags.stop_after);
    if (!parsed) return complain(fmt::format("--for {}: expected a time like 10m", flags.stop_after));
    bound = *parsed;
  }
  std::shared_ptr<net::TlsContext> tls;
  if (!flags.certificate.empty()) {
    auto made = net::TlsContext::server(flags.certificate, flags.key);
    if (!made) return complain(made.error().message());
    tls = *made;
  }
  auto ways = passages(flags, tls);
  if (!ways) return complain(ways.error().message());
  RecordedRun run;
  run.id = "record";
  run.title = "Sessions of others, as they passed";
  run.target = "recording";
  run.selection = flags.upstream;
  run.all_clients = flags.all_clients;
  run.strict = flags.strict;
  run.began = clock_now();
  for (const auto& way : *ways) run.endpoints.push_back(way.upstream.label());
  host::end_in_order();
  const auto directory = archive::RunDirectory::make(flags.out);
  if (!directory) return complain(directory.error().message());

  imports::Recording recording(info_of(run));
  auto stream = begin_recorded(**directory, run, recording);
  if (!stream) return complain(stream.error().message()), kTrouble;
  net::LoopOptions options;
  options.tls.ca_file = flags.ca;
  options.tls.insecure = flags.insecure;
  net::Loop loop(options);
  std::vector<std::unique_ptr<imports::Proxy>> proxies;
  for (auto& way : *ways) {
    const std::string host = way.listen.host;
    const bool secure = way.listen.tls_first;
    const Endpoint upstream = way.upstream;
    auto proxy = imports::Proxy::open(loop, recording, std::move(way));
    if (!proxy) return complain(proxy.error().message()), kTrouble;
    say(fmt::format("{}{} {}:{}\n", name(upstream.protocol), secure ? "s" : "", host, (*proxy)->port()));
    proxies.push_back(std::move(*proxy));
  }
  say("ready\n");
  std::fflush(stdout);
  WireKeeper wire(**directory, run.id, recording);
  const host::Nudged nudged(loop);
  LiveJudge judge(recording);
  std::string filled;  ///< when
  Pulse pulse(loop, [&] {
    wire.keep();
    if (filled.empty() && recording.full()) {
      filled = fmt::format("the recording is full at {}, with {} events: what passes from then on is not heard",
                           format_seconds(loop.now().time_since_epoch()), imports::Recording::kMostEvents);
      say_error(filled + "\n");
    }
    judge.look(loop.now());
  });
  loop.run([&] {
    (*stream)->flush();
    return host::interrupted() || (bound && loop.now().time_since_epoch() >= *bound) ||
           !(*directory)->trouble().empty();
  });
  for (const auto& proxy : proxies) proxy->close();
  std::size_t sessions = recording.history.sessions().size();
  std::vector<std::string> notes = {
      fmt::format("{} session{} heard, with {} message{} of {} account{}", sessions, sessions == 1 ? "" : "s",
                  recording.history.messages().size(), recording.history.messages().size() == 1 ? "" : "s",
                  recording.history.info.accounts.size(), recording.history.info.accounts.size() == 1 ? "" : "s")};
  if (!filled.empty()) notes.push_back(std::move(filled));
  return end_recorded(**directory, run, recording, **stream, std::move(notes));
}

}  // namespace

void add_record(CLI::App& app, int& status) {
  auto flags = std::make_shared<RecordFlags>();
  auto* command = app.add_subcommand(
      "record", "Stand between real clients and a real server, and judge what passes when it is over (Ctrl-C)");
  command
      ->add_option("--listen", flags->listen,
                   "PROTOCOL:HOST:PORT for clients: imap, pop3, smtp, lmtp; with --cert "
                   "also imaps, pop3s, smtps. Port 0 takes a free one")
      ->required();
  command->add_option("--upstream", flags->upstream, "The server: PROTOCOL:HOST:PORT, one for each --listen")
      ->required();
  command->add_option("--out", flags->out, "Run directory (default: a new one below runs/)");
  command->add_option(
      "--cert", flags->certificate,
      "Certificate (PEM) shown to clients: TLS ends here and begins again, after STARTTLS too. Without it "
      "what follows STARTTLS passes unread");
  command->add_option("--key", flags->key, "Its key (PEM)");
  command->add_option("--ca", flags->ca, "Certificates (PEM) that the server's must be signed by");
  command->add_flag("--insecure", flags->insecure, "Whatever certificate the server has");
  command->add_option("--for", flags->stop_after, "Stop after so long: 10m");
  command->add_flag("--all-clients", flags->all_clients,
                    "Nobody reaches these accounts another way: what nobody asked for here, nobody asked for");
  command->add_flag("--strict", flags->strict, "A latitude fails");
  command->callback([=, &status] { status = record(*flags); });
}

}  // namespace mailproof::cli
