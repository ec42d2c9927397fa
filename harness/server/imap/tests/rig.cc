#include "server/imap/tests/rig.h"

#include <fmt/format.h>

namespace mailproof::server {

ServerOptions ImapWorld::standard_options() {
  ServerOptions options;
  options.accounts = {{"alice", "alice@example.test", Secret("secret"), std::nullopt},
                      {"bob", "bob@example.test", Secret("secret"), 64U << 10U},
                      {"carol", "carol@example.test", Secret("secret"), std::nullopt}};
  return options;
}

ServerOptions ImapWorld::with_defect(std::string_view name) {
  auto options = standard_options();
  options.defects.emplace(name);
  return options;
}

ServerOptions ImapWorld::with_latitude(std::string_view name) {
  auto options = standard_options();
  options.latitudes.emplace(name);
  return options;
}

ImapDevice::ImapDevice(ImapWorld& world) : world_(world), peer_(world.server.accept(Protocol::imap, false)) {
  peer_->attach(&waker_);
  peer_->opened(world_.now);
}

ImapDevice::ImapDevice(ImapWorld& world, std::string_view login) : ImapDevice(world) {
  take();
  say(fmt::format("LOGIN {} secret", login));
}

ImapDevice::~ImapDevice() { peer_->ended(EndReason::closed, "", world_.now); }

std::string ImapDevice::say(std::string_view command) {
  send(fmt::format("a{} {}\r\n", ++tags_, command));
  return take();
}

std::string ImapDevice::status(std::string_view command) {
  const auto answer = say(command);
  const auto tag = fmt::format("a{} ", tags_);
  const auto at = answer.starts_with(tag) ? 0 : answer.rfind("\r\n" + tag);
  if (at == std::string::npos) return "";
  const auto begin = answer.find(tag, at) + tag.size();
  return answer.substr(begin, answer.find(' ', begin) - begin);
}

std::string ImapDevice::append(std::string_view mailbox, std::string_view message, std::string_view arguments) {
  const auto answer = say(fmt::format("APPEND {} {}{{{}}}", mailbox, arguments, message.size()));
  if (!answer.starts_with("+")) return answer;
  send(message);
  send("\r\n");
  return take();
}

void ImapDevice::send(std::string_view bytes) { peer_->feed(as_bytes(bytes), world_.now); }

std::string ImapDevice::take() {
  std::string all;
  std::size_t size = 0;
  for (const auto& piece : peer_->output()) {
    all += as_text(piece.bytes);
    size += piece.bytes.size();
  }
  peer_->sent(size, world_.now);
  return all;
}

std::string plain_message(int number) {
  return fmt::format(
      "Return-Path: <carol@example.test>\r\n"
      "Received: from mx.example.test (mx.example.test [192.0.2.7])\r\n"
      "\tby mail.example.test with ESMTP id {0:08x}; Thu, 1 Jan 2026 10:0{0}:00 +0100\r\n"
      "Date: Thu, 1 Jan 2026 10:0{0}:00 +0100\r\n"
      "From: \"Carol \\\"C.\\\" Example\" <carol@example.test>\r\n"
      "To: Alice <alice@example.test>, bob@example.test\r\n"
      "Subject: Quarterly figures, part {0}\r\n"
      "Message-ID: <figures.{0}@example.test>\r\n"
      "MIME-Version: 1.0\r\n"
      "Content-Type: text/plain; charset=utf-8\r\n"
      "Content-Transfer-Encoding: 8bit\r\n"
      "\r\n"
      "Gr\xc3\xbc\xc3\x9f Gott,\r\n"
      "\r\n"
      "..part {0} is attached to nothing.\r\n"
      ".\r\n"
      "Regards\r\n",
      number);
}

std::string rich_message() {
  return "From: Bob <bob@example.test>\r\n"
         "To: team: alice@example.test, Carol <carol@example.test>;\r\n"
         "Date: Fri, 2 Jan 2026 09:30:00 -0500\r\n"
         "Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n"
         "Message-ID: <rich.1@example.test>\r\n"
         "In-Reply-To: <figures.1@example.test>\r\n"
         "MIME-Version: 1.0\r\n"
         "Content-Type: multipart/mixed; boundary=\"=_outer\"\r\n"
         "\r\n"
         "This is a multi-part message in MIME format.\r\n"
         "--=_outer\r\n"
         "Content-Type: multipart/alternative; boundary=inner\r\n"
         "\r\n"
         "--inner\r\n"
         "Content-Type: text/plain; charset=us-ascii; format=flowed\r\n"
         "\r\n"
         "Plain words.\r\n"
         "--inner\r\n"
         "Content-Type: text/html; charset=us-ascii\r\n"
         "Content-Transfer-Encoding: quoted-printable\r\n"
         "\r\n"
         "<p>Plain=20words.</p>\r\n"
         "--inner--\r\n"
         "--=_outer\r\n"
         "Content-Type: application/pdf; name=\"report.pdf\"\r\n"
         "Content-Transfer-Encoding: base64\r\n"
         "Content-Disposition: attachment; filename=\"report.pdf\"\r\n"
         "Content-ID: <pdf@example.test>\r\n"
         "\r\n"
         "JVBERi0xLjQK\r\n"
         "--=_outer\r\n"
         "Content-Type: message/rfc822\r\n"
         "\r\n"
         "From: dave@example.test\r\n"
         "Subject: Forwarded\r\n"
         "Content-Type: multipart/mixed; boundary=fwd\r\n"
         "\r\n"
         "--fwd\r\n"
         "\r\n"
         "Inner text.\r\n"
         "--fwd--\r\n"
         "--=_outer--\r\n";
}

}  // namespace mailproof::server
