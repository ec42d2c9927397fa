#include "sim/wrong_server.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <optional>
#include <string>
#include <utility>

#include "core/bytes.h"
#include "core/deflate_peer.h"
#include "core/outbox.h"
#include "sim/wrong_script.h"

namespace mailproof::sim {
namespace {

std::string replace_all(std::string text, std::string_view what, std::string_view with) {
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += with.size())
    text.replace(at, what.size(), with);
  return text;
}

/// "{12}" or "{12+}" at the end of an IMAP line: a literal follows.
struct Announcement {
  std::size_t octets = 0;
  bool synchronising = true;
};
std::optional<Announcement> announcement(std::string_view line) {
  const std::size_t open = line.rfind('{');
  if (open == std::string_view::npos || !line.ends_with('}')) return std::nullopt;
  std::string_view digits = line.substr(open + 1, line.size() - open - 2);
  Announcement out;
  if (digits.ends_with('+')) {
    out.synchronising = false;
    digits.remove_suffix(1);
  }
  if (digits.empty() || digits.size() > 9) return std::nullopt;
  for (const char c : digits) {
    if (c < '0' || c > '9') return std::nullopt;
    out.octets = out.octets * 10 + static_cast<std::size_t>(c - '0');
  }
  return out;
}

using Kind = WrongAction::Kind;
using Script = WrongScript;

/// The server's end of one connection. The correct server hears one line at a time, so that every answer is known to be
/// the answer to its line; the reference server answers within feed().
class WrongConnection final : public Peer {
 public:
  WrongConnection(std::shared_ptr<const Script> script, Protocol protocol, unsigned number,
                  std::unique_ptr<Peer> server, SimNetwork::Reset reset)
      : script_(std::move(script)),
        protocol_(protocol),
        number_(number),
        server_(std::move(server)),
        reset_(std::move(reset)),
        said_(script_->places.size()) {}

  std::function<void()> compress;  ///< what it says from here on, and what it hears

  void attach(Waker* waker) override { server_->attach(waker); }

  void opened(Time now) override {
    now_ = now;
    opened_ = true;
    server_->opened(now);
    begin(place(WrongBlock::At::greeting, ""), {}, taken());
    go_on();
  }

  void feed(Bytes in, Time now) override {
    now_ = now;
    if (end_ || server_->wants() != Wants::nothing) return;
    in_.erase(0, std::exchange(heard_, 0));
    in_ += as_text(in);
    go_on();
  }

  std::span<const Output> output() override {
    if (block_ == nullptr && !end_) out_.text(taken());  // what the server says unasked
    return out_.output();
  }

  void sent(std::size_t n, Time now) override {
    now_ = now;
    out_.sent(n);
    die();
  }

  void advance(Time now) override {
    now_ = now;
    server_->advance(now);
    go_on();
  }

  std::optional<Time> deadline() const override {
    const auto servers = server_->deadline();
    return resume_at_ && (!servers || *resume_at_ < *servers) ? resume_at_ : servers;
  }

  void secured(const TlsFacts& facts, Time now) override {
    now_ = now;
    forget();
    server_->secured(facts, now);
    if (!facts.established || !opened_) return;
    begin(place(WrongBlock::At::secured, ""), {}, taken());
    go_on();
  }

  void ended(EndReason reason, std::string_view detail, Time now) override {
    end_ = Kind::close;
    server_->ended(reason, detail, now);
  }

  Wants wants() const override {
    if (end_ == Kind::close) return Wants::close;
    return block_ != nullptr || end_ == Kind::reset ? Wants::nothing : server_->wants();
  }

 private:
  /// The block that is due when this is said; null where the server is right.
  const Script::Block* place(WrongBlock::At at, std::string_view line) {
    for (std::size_t i = 0; i < script_->places.size(); ++i) {
      const Script::Place& one = script_->places[i];
      if (one.where.protocol != protocol_ || one.where.connection.value_or(number_) != number_) continue;
      if (!one.fits(at, line)) continue;
      const Script::Block& block = one.times[std::min(said_[i]++, one.times.size() - 1)];
      block.reached = true;
      if (auto found = one.groups(line); !found.empty()) groups_ = std::move(found);
      return &block;
    }
    return nullptr;
  }

  /// `command` = what the correct server is told when its own answer is wanted; without one the answer is `known`.
  void begin(const Script::Block* block, std::string command, std::string known) {
    if (block == nullptr) {
      put(command.empty() ? known : answer(command));
      return;
    }
    block_ = block;
    next_ = 0;
    own_given_ = false;
    command_ = std::move(command);
    known_ = std::move(known);
  }

  void go_on() {
    while (!end_) {
      if (block_ != nullptr && !act()) break;
      if (server_->wants() != Wants::nothing) forget();  // it hears nothing behind STLS or QUIT
      if (in_.size() == heard_ || !hear()) break;
    }
    die();
  }

  /// Does what is left of the block. False: it waits.
  bool act() {
    if (resume_at_ && now_ < *resume_at_) return false;
    resume_at_.reset();
    while (next_ < block_->actions.size()) {
      const WrongAction& action = block_->actions[next_++];
      switch (action.kind) {
        case Kind::say:
          put(replace_all(grouped(action.text), "${tag}", tag_));
          break;
        case Kind::pass:
          give(command_.empty() ? known_ : answer(command_));
          break;
        case Kind::edit:
        case Kind::drop:
          if (block_->edits_give_own && !std::exchange(own_given_, true))
            give(command_.empty() ? known_ : answer(command_));
          break;
        case Kind::instead:
          give(answer(tagged(grouped(action.text), tag_)));
          break;
        case Kind::also:
          answer(tagged(grouped(action.text), "also1"));
          break;
        case Kind::silence:
          break;
        case Kind::wait:
          resume_at_ = now_ + action.span;
          return false;
        case Kind::compress:
          if (compress) compress();
          break;
        case Kind::close:
        case Kind::reset:
          end_ = action.kind;
          forget();
          block_ = nullptr;
          return true;
      }
    }
    block_ = nullptr;
    return true;
  }

  /// With what the client said where "${1}" stands.
  std::string grouped(std::string text) const {
    for (std::size_t i = 0; i < groups_.size(); ++i)
      text = replace_all(text, fmt::format("${{{}}}", i + 1), groups_[i]);
    return text;
  }

  void give(std::string text) {
    for (const Script::Edit& edit : block_->edits) text = edited(text, edit);
    put(text);
  }

  std::string tagged(const std::string& command, const std::string& tag) const {
    return protocol_ == Protocol::imap ? fmt::format("{} {}\r\n", tag, command) : command + "\r\n";
  }

  std::string answer(std::string_view command) {
    server_->feed(as_bytes(command), now_);
    return taken();
  }

  std::string taken() {
    std::string text;
    for (const Output& piece : server_->output()) text += as_text(piece.bytes);
    if (!text.empty()) server_->sent(text.size(), now_);
    return text;
  }

  void forget() {
    in_.clear();
    heard_ = 0;
  }

  /// Takes the next line, or octets of a literal, off what came. False: the line is unfinished.
  bool hear() {
    if (literal_left_ > 0) {
      const std::string octets = in_.substr(heard_, literal_left_);
      heard_ += octets.size();
      literal_left_ -= octets.size();
      if (!deaf_) out_.text(answer(octets));
      return true;
    }
    const std::size_t end = in_.find('\n', heard_);
    if (end == std::string::npos) return false;
    const std::size_t lf = end - heard_;
    std::string_view rest(in_.data() + heard_, lf + 1);
    const std::string line(take_line(rest).text);
    const std::size_t chunk = content_ ? 0 : chunk_behind(line);
    if (in_.size() - heard_ < lf + 1 + chunk) return false;
    const std::string bytes = in_.substr(heard_, lf + 1 + chunk);
    heard_ += bytes.size();
    if (content_) {
      hear_content(bytes);
    } else {
      hear_line(bytes, line);
    }
    return true;
  }

  bool mail() const { return protocol_ == Protocol::smtp || protocol_ == Protocol::lmtp; }

  /// A line of mail: only CRLF.CRLF ends it (RFC 5321 section 4.1.1.4). What a block says of "C: ." it says of that
  /// dot; the correct server has it all the same, if it is that server that asked for mail.
  void hear_content(const std::string& bytes) {
    const bool dot = std::exchange(line_begins_, bytes.ends_with("\r\n")) && bytes == ".\r\n";
    if (!dot) {
      if (own_content_) answer(bytes);
      return;
    }
    content_ = false;
    const Script::Block* block = place(WrongBlock::At::line, ".");
    if (!own_content_) return begin(block, "", "");
    if (block != nullptr && !block->own_command) answer(bytes);
    begin(block, bytes, {});
  }

  /// "BDAT 86 LAST": so many octets belong to the line.
  std::size_t chunk_behind(std::string_view line) const {
    std::size_t out = 0;
    if (!mail() || !istarts_with(line, "BDAT ")) return out;
    for (const char c : line.substr(5)) {
      if (c < '0' || c > '9' || out > (1U << 28)) break;
      out = out * 10 + static_cast<std::size_t>(c - '0');
    }
    return out;
  }

  /// DATA that is answered with 354 makes what follows mail.
  void put(std::string_view text) {
    if (std::exchange(asked_for_mail_, asked_for_mail_ && text.empty()) && text.starts_with("354"))
      content_ = line_begins_ = true;
    out_.text(text);
  }

  void hear_line(const std::string& bytes, std::string_view line) {
    if (!std::exchange(in_command_, true)) {
      std::string_view said = line;
      if (const std::size_t space = line.find(' '); protocol_ == Protocol::imap && space != std::string_view::npos) {
        tag_ = line.substr(0, space);
        said.remove_prefix(space + 1);
      }
      due_ = place(WrongBlock::At::line, said);
      deaf_ = due_ != nullptr && !due_->own_command;
    }
    if (const auto literal = announcement(line); literal && protocol_ == Protocol::imap) {
      std::string go_ahead = deaf_ ? (literal->synchronising ? "+ go ahead\r\n" : "") : answer(bytes);
      const bool refused = literal->synchronising && !go_ahead.starts_with('+');
      out_.text(go_ahead);
      in_command_ = !refused;
      if (!refused) literal_left_ = literal->octets;
      return;
    }
    in_command_ = false;
    own_content_ = due_ == nullptr || due_->own_command;
    asked_for_mail_ = mail() && iequals(line, "DATA");
    begin(due_, bytes, {});
  }

  void die() {
    if (end_ == Kind::reset && out_.empty() && reset_) std::exchange(reset_, nullptr)();
  }

  std::shared_ptr<const Script> script_;
  Protocol protocol_;
  unsigned number_;
  std::unique_ptr<Peer> server_;
  SimNetwork::Reset reset_;
  Outbox out_;
  Time now_{};
  bool opened_ = false;
  std::optional<Kind> end_;        ///< close or reset: it is over when all is sent
  std::vector<std::size_t> said_;  ///< how often, for each place
  std::string in_;                 ///< what the client said, and
  std::size_t heard_ = 0;          ///< how much of it was heard

  // The block that is being acted.
  const Script::Block* block_ = nullptr;
  std::size_t next_ = 0;
  bool own_given_ = false;
  std::string command_, known_;
  std::vector<std::string> groups_;  ///< the newest that were found
  std::optional<Time> resume_at_;

  // The command that is being heard: an IMAP one goes over several lines when literals stand in it.
  bool in_command_ = false;
  const Script::Block* due_ = nullptr;
  bool deaf_ = false;  ///< the correct server hears nothing of it
  std::string tag_;
  std::size_t literal_left_ = 0;

  // SMTP, LMTP.
  bool asked_for_mail_ = false;  ///< DATA was said and is not answered yet
  bool content_ = false;         ///< what is said is mail, up to its final dot
  bool own_content_ = true;      ///< ... which the correct server asked for
  bool line_begins_ = true;
};

}  // namespace

WrongServer::WrongServer(std::vector<WrongDialogue> dialogues) {
  for (const WrongDialogue& dialogue : dialogues) scripts_.push_back(std::make_shared<const Script>(dialogue));
}

WrongServer::~WrongServer() = default;

std::vector<std::string> WrongServer::unreached() const {
  std::vector<std::string> out;
  if (scripts_.empty()) return out;
  for (const Script::Place& place : scripts_.back()->places)
    for (const Script::Block& block : place.times)
      if (!block.reached) out.push_back(block.told);
  return out;
}

std::unique_ptr<Peer> WrongServer::wrap(Protocol protocol, std::unique_ptr<Peer> server,
                                        const SimNetwork::Reset& reset) {
  const unsigned number = ++connections_[protocol];
  for (const auto& script : scripts_) {
    const bool concerned = std::any_of(script->places.begin(), script->places.end(), [&](const Script::Place& place) {
      return place.where.protocol == protocol && place.where.connection.value_or(number) == number;
    });
    if (!concerned) continue;
    auto wrong = std::make_unique<WrongConnection>(script, protocol, number, std::move(server), reset);
    WrongConnection& connection = *wrong;
    auto outside = std::make_unique<DeflatePeer>(std::move(wrong));
    connection.compress = [peer = outside.get()] { peer->start(); };
    server = std::move(outside);
  }
  return server;
}

}  // namespace mailproof::sim
