#include "session/pop3/tests/rig.h"

#include <fmt/format.h>

namespace mailproof::session {

std::vector<std::string> Pop3Rig::odd_answers() const {
  return {"-ERR [SYS/TEMP] try later\r\n", "-ERR\r\n", "+OK\r\n", "+ VXNlcm5hbWU6\r\n"};
}

std::vector<std::string> Pop3Rig::floods() const {
  return {"+OK\r\n", "-ERR no\r\n", "+ VXNlcm5hbWU6\r\n", "1 120\r\n", "+OK\r\n1 120\r\n", "+OK no end ", "\r"};
}

void Pop3Rig::on_greeting(std::string_view text, Time) { told.push_back(fmt::format("greeting {}", text)); }
void Pop3Rig::on_ready(Time) { told.emplace_back("ready"); }
void Pop3Rig::on_done(const Pop3Completion& d, Time) {
  told.push_back(
      fmt::format("done {} {} {} {} [{}] {}", d.id, d.command, d.argument, describe(d.outcome), d.code, d.text));
}
void Pop3Rig::on_stat(std::uint32_t messages, std::uint64_t octets, Time) {
  told.push_back(fmt::format("stat {} {}", messages, octets));
}
void Pop3Rig::on_list(std::uint32_t number, std::uint64_t octets, Time) {
  told.push_back(fmt::format("list {} {}", number, octets));
}
void Pop3Rig::on_uidl(std::uint32_t number, std::string_view id, Time) {
  told.push_back(fmt::format("uidl {} {}", number, id));
}
void Pop3Rig::on_content_begin(std::uint32_t number, bool top, Time) {
  content_.clear();
  told.push_back(fmt::format("content {}{}", number, top ? " top" : ""));
}
void Pop3Rig::on_content(std::string_view chunk) { content_ += chunk; }
void Pop3Rig::on_content_end(std::uint64_t octets, Time) {
  told.push_back(fmt::format("content end {} '{}'", octets, content_));
}
void Pop3Rig::on_deviation(const Deviation& d, Time) {
  told.push_back(fmt::format("deviation {} '{}'", d.code, d.excerpt));
}
void Pop3Rig::on_ended(const Ended& ended, Time) { told.push_back(describe(ended)); }

ClientConfig pop3_config(TlsMode tls, std::string mechanism) {
  ClientConfig config;
  config.endpoint.protocol = Protocol::pop3;
  config.endpoint.port = 110;
  config.endpoint.tls = tls;
  config.max_response_bytes = 128U << 10;
  config.max_responses = 1000;
  config.login = {"user0001", Secret("pass"), std::move(mechanism)};
  return config;
}

}  // namespace mailproof::session
