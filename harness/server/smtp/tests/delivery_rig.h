#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "server/context.h"
#include "server/smtp/delivery.h"

namespace mailproof::server {

/// alice and bob without a limit, small with 64 KiB; the password of each is its login backwards.
ServerOptions rig_options();

/// A server without its facade, so that a test can look into the store.
struct Rig {
  explicit Rig(ServerOptions given = rig_options());
  static Rig with_defect(std::string_view name);
  static Rig with_latitude(std::string_view name);

  AccountState& account(std::string_view login) { return *store.by_login(login); }
  std::vector<std::string> inbox(std::string_view login);  ///< the content of each message
  MessagePtr append(std::string_view login, std::string content);
  /// Lets the queue work until nothing is due any more.
  void settle();

  const ServerOptions options;
  Store store;
  const Switches switches;
  Rng rng;
  ServerContext context;
  Delivery delivery;
  Time now{};
};

/// A client at the other end of one connection, which says lines and looks at what comes back.
class Dialogue {
 public:
  Dialogue(Rig& rig, std::unique_ptr<Peer> peer);
  Dialogue(Dialogue&&) = default;
  ~Dialogue();

  const std::string& greeting() const { return greeting_; }
  std::string say(std::string_view line);  ///< the line with CRLF; returns all that was answered
  std::string send(std::string_view bytes);
  void start_tls();  ///< what follows a positive reply to STARTTLS or STLS
  void drop();       ///< the connection ends without a word
  bool closing() const { return peer_->wants() == Wants::close; }
  Peer& peer() { return *peer_; }

 private:
  std::string take();

  Rig& rig_;
  std::unique_ptr<Peer> peer_;
  std::string greeting_;
  bool ended_ = false;
};

Dialogue pop3(Rig& rig, bool tls = false);
Dialogue pop3_login(Rig& rig, std::string_view login);
Dialogue smtp(Rig& rig, bool tls = false);
Dialogue lmtp(Rig& rig, bool tls = false);

/// A multipart message with what goes wrong in transit: dot lines, 8-bit text, a 900-octet line.
std::string mime_message(std::string_view subject = "Rechnung 77");
/// A plain text message of that many octets; at least 300.
std::string text_message(std::size_t octets, std::string_view subject = "Quarterly report");
/// The whole SMTP or LMTP transaction up to the final dot; returns what was answered to the final dot.
std::string transact(Dialogue& client, std::string_view sender, const std::vector<std::string>& recipients,
                     std::string_view message);

}  // namespace mailproof::server
