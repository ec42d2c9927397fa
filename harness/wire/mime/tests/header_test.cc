#include "wire/mime/header.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "wire/mime/content_type.h"
#include "wire/text/tests/split.h"

namespace mailproof::mime {
namespace {

constexpr std::string_view kMessage =
    "Return-Path: <user0002@example.test>\r\n"
    "Received: from client.example.test\r\n\t(HELO x)\r\n by mail.example.test; Sun, 22 Nov 2026 10:12:07 +0000\r\n"
    "Subject : =?UTF-8?Q?Gr=C3=BC=C3=9Fe?=\r\n"
    "no field at all\r\n"
    "Empty:\r\n"
    "X-Last: v\r\n"
    "\r\n"
    "Body: not a header\r\n";

std::string tell(const std::vector<std::string_view>& pieces) {
  HeaderReader reader;
  std::string told;
  std::size_t left = 0;
  for (std::string_view in : pieces) {
    for (auto event = reader.next(in); event != HeaderReader::Event::more; event = reader.next(in)) {
      if (event == HeaderReader::Event::end) {
        told += fmt::format("end at {}\n", reader.octets());
        break;
      }
      told += fmt::format("{}|{}{}\n", reader.name(), reader.value(), reader.cut() ? " cut" : "");
    }
    left += in.size();
  }
  while (!reader.done() && reader.finish() == HeaderReader::Event::field)
    told += fmt::format("finish {}|{}\n", reader.name(), reader.value());
  return told + fmt::format("left {}", left);
}

TEST(MimeHeader, StreamAtEverySplit) {
  EXPECT_EQ(text::expect_same_at_every_split(kMessage, tell),
            "Return-Path|<user0002@example.test>\n"
            "Received|from client.example.test\t(HELO x) by mail.example.test; Sun, 22 Nov 2026 10:12:07 +0000\n"
            "Subject|=?UTF-8?Q?Gr=C3=BC=C3=9Fe?=\n"
            "|no field at all\n"
            "Empty|\n"
            "X-Last|v\n"
            "end at 218\nleft 20");
}

TEST(MimeHeader, WithoutBodyTheLastFieldIsNotLost) {
  EXPECT_EQ(text::expect_same_at_every_split("A: 1\nB: 2\n folded\n", tell), "A|1\nfinish B|2 folded\nleft 0");
  EXPECT_EQ(text::expect_same_at_every_split("A: 1\r\nB: half", tell), "A|1\nfinish B|half\nleft 0");
  EXPECT_EQ(text::expect_same_at_every_split("\r\nbody", tell), "end at 2\nleft 4");
  EXPECT_EQ(tell({""}), "left 0");
}

TEST(MimeHeader, EndlessFieldsAreCut) {
  std::string huge = "X-Big: ";
  for (int i = 0; i < 10000; ++i) huge += "0123456789\r\n ";
  huge += "\r\nNext: 1\r\n\r\n";
  HeaderReader reader;
  std::string_view in = huge;
  ASSERT_EQ(reader.next(in), HeaderReader::Event::field);
  EXPECT_TRUE(reader.cut());
  EXPECT_LE(reader.value().size(), HeaderReader::kFieldLimit);
  ASSERT_EQ(reader.next(in), HeaderReader::Event::field);
  EXPECT_EQ(reader.name(), "Next");
  EXPECT_FALSE(reader.cut());
}

TEST(MimeHeader, InMemoryAgreesWithTheStream) {
  std::string_view rest = kMessage;
  std::string told;
  while (const auto field = take_field(rest)) told += fmt::format("{}|{}\n", field->name, unfold(field->body));
  EXPECT_EQ(tell({kMessage}).find(told), 0U);
  EXPECT_EQ(header_size(kMessage), 218U);
  EXPECT_EQ(kMessage.substr(header_size(kMessage)), "Body: not a header\r\n");
  EXPECT_EQ(header_size("A: b\n\nx"), 6U);
  EXPECT_EQ(header_size("A: b\r\n"), 6U);
  EXPECT_EQ(find_field(kMessage, "x-last"), "v");
  EXPECT_EQ(find_field(kMessage, "Body"), std::nullopt);
}

TEST(MimeHeader, RawFieldsJoinToTheHeader) {
  std::string_view rest = kMessage;
  std::string joined;
  while (const auto field = take_field(rest)) joined += field->raw;
  EXPECT_EQ(joined + "\r\n", kMessage.substr(0, header_size(kMessage)));
}

TEST(ContentTypes, ParametersAndComments) {
  const ContentType t = parse_content_type(
      " Multipart/(hm \\) (nested))Report ; "
      "REPORT-TYPE=delivery-status;\r\n\tboundary=\"CF88CA8E495.1795342327/node.test\" (x)");
  EXPECT_TRUE(t.is("multipart", "report"));
  EXPECT_EQ(t.parameter("report-type"), "delivery-status");
  EXPECT_EQ(t.parameter("boundary"), "CF88CA8E495.1795342327/node.test");
  EXPECT_EQ(t.parameter("charset"), "");
  EXPECT_EQ(parse_content_type("text/plain; name=\"a\\\"b; c\"").parameter("name"), "a\"b; c");
  EXPECT_EQ(parse_content_type("multipart/mixed; boundary=a/b=c; x=1").parameter("boundary"), "a/b=c");
  EXPECT_EQ(parse_content_type("text/html;; charset=utf-8;").parameter("charset"), "utf-8");
}

TEST(ContentTypes, MalformedIsPlainText) {
  for (const char* bad : {"", "text", "text/", "/plain", "; charset=x", "(unclosed", "text plain", "\"text\"/plain"}) {
    const ContentType t = parse_content_type(bad);
    EXPECT_TRUE(t.is("text", "plain")) << bad;
    EXPECT_EQ(t.parameter("charset"), "us-ascii") << bad;
  }
  EXPECT_EQ(parse_content_type("text/plain; charset=\"utf-8").parameter("charset"), "utf-8");
}

TEST(ContentTypes, Disposition) {
  const ParameterizedValue d = parse_parameterized("ATTACHMENT; filename=\"genome.jpeg\"; size=12");
  EXPECT_EQ(d.value, "attachment");
  EXPECT_EQ(d.parameter("filename"), "genome.jpeg");
  EXPECT_EQ(d.parameter("size"), "12");
}

TEST(ContentTypes, MillionsOfNestedCommentsAndParametersEnd) {
  EXPECT_TRUE(parse_content_type(std::string(2'000'000, '(')).is("text", "plain"));
  std::string many = "text/plain";
  for (int i = 0; i < 10000; ++i) many += fmt::format("; p{}=v", i);
  EXPECT_EQ(parse_content_type(many).parameters.size(), 64U);
}

}  // namespace
}  // namespace mailproof::mime
