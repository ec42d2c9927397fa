#include "server/smtp/tests/delivery_rig.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "server/connection.h"
#include "wire/text/dot_stuffing.h"

namespace mailproof::server {

ServerOptions rig_options() {
  ServerOptions options;
  options.seed = 77;
  for (const std::string login : {"alice", "bob", "small"}) {
    Account account;
    account.login = login;
    account.address = login + "@example.test";
    account.password = Secret(std::string(login.rbegin(), login.rend()));
    if (login == "small") account.quota = 64 * 1024;
    options.accounts.push_back(std::move(account));
  }
  return options;
}

Rig::Rig(ServerOptions given)
    : options(std::move(given)),
      store(options),
      switches(options),
      rng(derive_seed(options.seed, "server")),
      context{options, store, switches, delivery, rng},
      delivery(context) {}

Rig Rig::with_defect(std::string_view name) {
  auto options = rig_options();
  options.defects.emplace(name);
  return Rig(std::move(options));
}

Rig Rig::with_latitude(std::string_view name) {
  auto options = rig_options();
  options.latitudes.emplace(name);
  return Rig(std::move(options));
}

std::vector<std::string> Rig::inbox(std::string_view login) {
  std::vector<std::string> contents;
  for (const auto& message : account(login).inbox().messages()) contents.push_back(*message->content);
  return contents;
}

MessagePtr Rig::append(std::string_view login, std::string content) {
  return store.append(account(login), account(login).inbox(), std::make_shared<const std::string>(std::move(content)),
                      {}, internal_date(now));
}

void Rig::settle() {
  while (const auto due = delivery.deadline()) {
    now = std::max(now, *due);
    delivery.advance(now);
  }
}

Dialogue::Dialogue(Rig& rig, std::unique_ptr<Peer> peer) : rig_(rig), peer_(std::move(peer)) {
  peer_->opened(rig_.now);
  greeting_ = take();
}

Dialogue::~Dialogue() { drop(); }

std::string Dialogue::say(std::string_view line) { return send(std::string(line) + "\r\n"); }

std::string Dialogue::send(std::string_view bytes) {
  peer_->feed(as_bytes(bytes), rig_.now);
  return take();
}

void Dialogue::start_tls() {
  ASSERT_EQ(peer_->wants(), Wants::start_tls);
  peer_->secured({.established = true, .version = "sim", .cipher = {}, .error = {}, .early_bytes = 0}, rig_.now);
}

void Dialogue::drop() {
  if (!ended_ && peer_) peer_->ended(EndReason::reset, "", rig_.now);
  ended_ = true;
}

std::string Dialogue::take() {
  std::string said;
  for (const auto& piece : peer_->output()) said += as_text(piece.bytes);
  peer_->sent(said.size(), rig_.now);
  return said;
}

Dialogue pop3(Rig& rig, bool tls) { return {rig, make_pop3(rig.context, tls)}; }
Dialogue smtp(Rig& rig, bool tls) { return {rig, make_smtp(rig.context, tls, false)}; }
Dialogue lmtp(Rig& rig, bool tls) { return {rig, make_smtp(rig.context, tls, true)}; }

Dialogue pop3_login(Rig& rig, std::string_view login) {
  Dialogue client(rig, make_pop3(rig.context, false));
  client.say(fmt::format("USER {}", login));
  const auto reply = client.say(fmt::format("PASS {}", std::string(login.rbegin(), login.rend())));
  EXPECT_TRUE(reply.starts_with("+OK")) << reply;
  return client;
}

std::string mime_message(std::string_view subject) {
  return fmt::format(
      "From: Caroline =?utf-8?Q?Wei=C3=9F?= <bob@example.test>\r\n"
      "To: alice@example.test\r\n"
      "Subject: {}\r\n"
      "Message-ID: <{}@example.test>\r\n"
      "MIME-Version: 1.0\r\n"
      "Content-Type: multipart/mixed; boundary=\"=_b1\"\r\n"
      "\r\n"
      "--=_b1\r\n"
      "Content-Type: text/plain; charset=utf-8\r\n"
      "Content-Transfer-Encoding: 8bit\r\n"
      "\r\n"
      "Gr\xc3\xbc\xc3\x9f"
      "e aus K\xc3\xb6ln\r\n"
      ".\r\n"
      "..two dots\r\n"
      ".one dot\r\n"
      "{}\r\n"
      "--=_b1\r\n"
      "Content-Type: application/pdf; name=\"invoice.pdf\"\r\n"
      "Content-Transfer-Encoding: base64\r\n"
      "\r\n"
      "JVBERi0xLjQKJcfsj6IKNSAwIG9iago8PC9MZW5ndGggNiAwIFIvRmlsdGVyIC9GbGF0ZURlY29k\r\n"
      "--=_b1--\r\n",
      subject, derive_seed(1, subject) % 1'000'000, std::string(900, 'x'));
}

std::string text_message(std::size_t octets, std::string_view subject) {
  auto text = fmt::format(
      "From: bob@example.test\r\nTo: small@example.test\r\nSubject: {0}\r\nMessage-ID: <{1}.{2}@example.test>\r\n"
      "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\n",
      subject, derive_seed(1, subject) % 1'000'000, octets);
  constexpr std::string_view kLine = "The figures of this quarter are in line with the plan of last year.\r\n";
  while (text.size() + 2 * kLine.size() < octets) text += kLine;
  text += std::string(octets - text.size() - 2, 'z') + "\r\n";
  return text;
}

std::string transact(Dialogue& client, std::string_view sender, const std::vector<std::string>& recipients,
                     std::string_view message) {
  const auto mail = client.say(fmt::format("MAIL FROM:<{}> BODY=8BITMIME", sender));
  EXPECT_TRUE(mail.starts_with("250 2.1.0 ")) << mail;
  for (const auto& recipient : recipients) client.say(fmt::format("RCPT TO:<{}>", recipient));
  const auto data = client.say("DATA");
  EXPECT_TRUE(data.starts_with("354 ")) << data;
  return client.send(text::dot_stuffed(message));
}

}  // namespace mailproof::server
