#include "scenario/target/pool.h"

#include <fmt/format.h>

#include <set>

#include "core/bytes.h"
#include "scenario/target/pattern.h"
#include "scenario/yaml/fields.h"
#include "scenario/yaml/files.h"

namespace mailproof::scenario {
namespace {

constexpr std::size_t kMaxPassword = 4096;
constexpr std::size_t kMaxAccountsFile = 256U << 20;
const std::vector<std::string> kClassKeys = {"login",         "address", "first",    "count",         "password_env",
                                             "password_file", "quota",   "customer", "customer_quota"};

class ClassReader {
 public:
  ClassReader(const Node& node, const Environment& environment, Complaints& complaints)
      : node_(node), environment_(environment), complaints_(complaints) {}

  void run(std::vector<PoolAccount>& out) {
    if (!keys()) return;
    const auto login = pattern("login");
    const Node* address_node = find(node_, "address");
    const auto address = address_node != nullptr ? pattern("address") : login;
    const auto first = number("first", 1, 0);
    const auto count = number("count", 1, 1);
    const auto password = read_password();
    std::optional<std::uint64_t> quota;
    if (const Node* node = find(node_, "quota")) quota = read_size(*node, complaints_);
    std::string customer;
    if (const Node* node = find(node_, "customer"))
      customer = read_text(*node, "the customer who owns these accounts", complaints_).value_or("");
    std::optional<std::uint64_t> customer_quota;
    if (const Node* node = find(node_, "customer_quota")) customer_quota = read_size(*node, complaints_);
    if (customer.empty() != !customer_quota) complain("customer: and customer_quota: together");
    if (!login || !address || !password) return;
    for (const auto& [name, one] : {std::pair("login", &*login), std::pair("address", &*address)})
      if (count > 1 && !one->numbered())
        return complaints_.value(*find(node_, address_node == nullptr ? "login" : name),
                                 fmt::format("a pattern with a number, like user%04d, for {} accounts", count));
    if (address->with(first).find('@') == std::string::npos)
      return complaints_.value(*find(node_, address_node == nullptr ? "login" : "address"),
                               "an address with @, like user%04d@example.test");
    for (std::int64_t i = first; i < first + count; ++i)
      out.push_back({login->with(i), address->with(i), *password, quota, customer, customer_quota});
  }

 private:
  /// False where a password stands in the file: nothing more is said, or shown, of such a class.
  bool keys() {
    for (const auto& entry : node_.children)
      if (entry.key == "password") {
        complaints_.key(entry, "password_env: VARIABLE or password_file: FILE; passwords do not stand in target files");
        return false;
      }
    check_keys(node_, kClassKeys, complaints_);
    return true;
  }

  /// About the class as a whole, named by its login: other text in it may be a password under a misspelt key.
  void complain(std::string expected) {
    const Node* login = find(node_, "login");
    const bool named = login != nullptr && login->kind == Node::Kind::scalar;
    complaints_.at(node_.pos, named ? login->text : "a class of accounts", std::move(expected));
  }

  std::optional<AccountPattern> pattern(std::string_view key) {
    const Node* node = find(node_, key);
    if (node == nullptr) {
      complain(fmt::format("{}: in a class of accounts", key));
      return std::nullopt;
    }
    std::optional<AccountPattern> out;
    if (node->kind == Node::Kind::scalar) out = AccountPattern::read(node->text);
    if (!out) complaints_.value(*node, "text with at most one number in it, like user%04d (%% for a percent sign)");
    return out;
  }

  std::int64_t number(std::string_view key, std::int64_t otherwise, std::int64_t least) {
    const Node* node = find(node_, key);
    if (node == nullptr) return otherwise;
    return read_number(*node, least, kMostAccounts, "a number", complaints_).value_or(otherwise);
  }

  std::optional<Secret> read_password() {
    const Node* variable = find(node_, "password_env");
    const Node* file = find(node_, "password_file");
    if ((variable == nullptr) == (file == nullptr)) {
      complain("one of password_env: VARIABLE and password_file: FILE");
      return std::nullopt;
    }
    return variable != nullptr ? from_environment(*variable) : from_file(*file);
  }

  std::optional<Secret> from_environment(const Node& node) {
    const auto name = read_text(node, "the name of an environment variable", complaints_);
    if (!name) return std::nullopt;
    const char* value = environment_(*name);
    if (value != nullptr && *value != '\0') return Secret(value);
    complaints_.value(node, fmt::format("an environment variable that is set: export {}=...", *name));
    return std::nullopt;
  }

  /// The first line of the file is the password.
  std::optional<Secret> from_file(const Node& node) {
    const auto name = read_text(node, "the name of a file", complaints_);
    if (!name) return std::nullopt;
    auto text = read_file(beside(complaints_.file(), *name), kMaxPassword);
    if (!text) {
      complaints_.value(node, text.error().why);
      return std::nullopt;
    }
    std::string line = text->substr(0, text->find('\n'));
    if (line.ends_with('\r')) line.pop_back();
    if (!line.empty()) return Secret(std::move(line));
    complaints_.value(node, "a file with a password in its first line");
    return std::nullopt;
  }

  const Node& node_;
  const Environment& environment_;
  Complaints& complaints_;
};

void read_accounts_file(const Node& entry, Complaints& complaints, std::vector<PoolAccount>& out,
                        std::vector<Problem>& elsewhere) {
  check_keys(entry, {"file"}, complaints);
  const Node& file = *find(entry, "file");
  const auto name = read_text(file, "the name of a file with accounts", complaints);
  if (!name) return;
  const auto path = beside(complaints.file(), *name);
  const auto text = read_file(path, kMaxAccountsFile);
  if (!text) return complaints.value(file, text.error().why);
  Complaints inside(path);
  const auto before = out.size();
  read_accounts_csv(*text, inside, out);
  if (inside.empty() && out.size() == before) complaints.value(file, "a file with at least one account");
  for (auto& problem : inside.take()) elsewhere.push_back(std::move(problem));
}

}  // namespace

void read_pool(const Node& node, const Environment& environment, Complaints& complaints, std::vector<PoolAccount>& out,
               std::vector<Problem>& elsewhere) {
  constexpr std::string_view expected = "a list of classes like {login: \"user%04d\", ...}, or {file: accounts.csv}";
  std::vector<const Node*> entries;
  if (node.kind == Node::Kind::map) entries.push_back(&node);
  if (node.kind == Node::Kind::list)
    for (const auto& entry : node.children) entries.push_back(&entry);
  if (entries.empty()) return complaints.value(node, std::string(expected));

  // One mailbox under two names would be lent to two who each take it for their own.
  std::set<std::string> logins, addresses;
  for (const Node* entry : entries) {
    if (!is_map(*entry, expected, complaints)) continue;
    const auto before = out.size();
    if (find(*entry, "file") != nullptr) {
      read_accounts_file(*entry, complaints, out, elsewhere);
    } else {
      ClassReader(*entry, environment, complaints).run(out);
    }
    if (out.size() > static_cast<std::size_t>(kMostAccounts))
      return complaints.value(*entry, fmt::format("at most {} accounts in all", kMostAccounts));
    for (std::size_t i = before; i < out.size(); ++i) {
      const bool new_login = logins.insert(lower(out[i].login)).second;
      if (new_login && addresses.insert(lower(out[i].address)).second) continue;
      complaints.at(entry->pos, new_login ? out[i].address : out[i].login,
                    new_login ? "each address once: two logins with one are one mailbox" : "each login once");
      break;
    }
  }
}

}  // namespace mailproof::scenario
