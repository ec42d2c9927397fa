#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "server/server.h"

namespace mailproof::server {

/// A server with three accounts (alice, bob, carol; password "secret", bob with 64 KiB) and a time that tests move.
struct ImapWorld {
  explicit ImapWorld(ServerOptions options = standard_options()) : server(std::move(options)) {}
  static ServerOptions standard_options();
  static ServerOptions with_defect(std::string_view name);
  static ServerOptions with_latitude(std::string_view name);

  Server server;
  Time now{};
};

/// One IMAP connection, driven as its driver would drive it.
class ImapDevice {
 public:
  explicit ImapDevice(ImapWorld& world);
  /// ... and logged in.
  ImapDevice(ImapWorld& world, std::string_view login);
  ~ImapDevice();

  /// Sends a command with a tag of its own and returns all that came, the tagged line included.
  std::string say(std::string_view command);
  /// The tagged answer's status word to `command`: "OK", "NO", "BAD".
  std::string status(std::string_view command);
  /// APPENDs by a synchronising literal; the answer to the command.
  std::string append(std::string_view mailbox, std::string_view message, std::string_view arguments = "");
  void send(std::string_view bytes);
  std::string take();  ///< what the server sent since
  Peer& peer() { return *peer_; }
  bool woken() { return std::exchange(waker_.woken, false); }

 private:
  struct Waking : Waker {
    void wake() override { woken = true; }
    bool woken = false;
  };
  ImapWorld& world_;
  Waking waker_;
  std::unique_ptr<Peer> peer_;
  int tags_ = 0;
};

/// A plain text message of its own Message-ID, CRLF line ends.
std::string plain_message(int number);
/// multipart/mixed: an alternative of text and HTML, a base64 attachment, a forwarded message that is a multipart
/// itself.
std::string rich_message();

}  // namespace mailproof::server
