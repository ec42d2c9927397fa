#pragma once
#include <boost/system/result.hpp>
#include <string>
#include <utility>

namespace mailproof {

/// Why something did not work, for a person: `where` names the place (file:line:column, host and step), `why` says what
/// was seen.
struct Error {
  Error() = default;  ///< what Result<T>::error() of Boost 1.81 needs to compile; no error is ever made this way
  Error(std::string where_, std::string why_) : where(std::move(where_)), why(std::move(why_)) {}
  std::string where;
  std::string why;
  std::string message() const { return where.empty() ? why : where + ": " + why; }
};

/// Lets Result<T>::value() throw when it holds an Error; only main() lets exceptions pass.
[[noreturn]] void throw_exception_from_error(const Error& error, const boost::source_location& at);

template <class T>
using Result = boost::system::result<T, Error>;

}  // namespace mailproof
