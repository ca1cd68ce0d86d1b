// Checks that go on after a failure and print file, line and values. A test program ends with `return check::run(...)`.
#pragma once

#include <cmath>
#include <exception>
#include <functional>
#include <iostream>
#include <string>

namespace check {

constexpr int skipped = 77, most_printed = 20;  // 77: the exit status by which CTest knows a skipped test
inline int n_checks = 0, n_failures = 0;
inline std::string context;  // what is being tested, printed with a failure

// Says what is being tested while it lives.
struct Context {
    explicit Context(const std::string& text) : before(context) { context += (context.empty() ? "" : ", ") + text; }
    ~Context() {
        if (std::uncaught_exceptions() == 0) context = before;  // what an exception went through stays, to be printed
    }
    std::string before;
};

template <class... Parts>
void expect(bool passed, const char* file, int line, const Parts&... parts) {
    ++n_checks;
    if (passed || ++n_failures > most_printed) return;
    std::cerr.precision(9);
    std::cerr << file << ":" << line << ": ";
    (std::cerr << ... << parts) << (context.empty() ? "" : "  [" + context + "]") << "\n";
}

// Whether two numbers agree to a share of the wanted one, or of 1 if that is smaller; NaN agrees with NaN alone.
inline bool close(double got, double wanted, double tolerance) {
    if (std::isnan(wanted) || std::isnan(got)) return std::isnan(wanted) && std::isnan(got);
    return got == wanted || std::abs(got - wanted) <= tolerance * std::fmax(1.0, std::abs(wanted));
}

// The reason that a call throws, or nothing if it does not.
inline std::string reason_of(const std::function<void()>& call) {
    try {
        call();
    } catch (const std::exception& error) {
        return error.what();
    }
    return "";
}

// The call throws, and its reason holds the given words.
inline void expect_refused(const std::function<void()>& call, const std::string& words, const char* file, int line) {
    const std::string reason = reason_of(call);
    expect(!reason.empty() && reason.find(words) != std::string::npos, file, line, "the reason is '", reason,
           "', expected '", words, "'");
}

// The exit status of a program that cannot check anything here, for a reason that it prints.
inline int skip(const std::string& reason) {
    std::cout << "skipped: " << reason << "\n";
    return skipped;
}

// Runs all the checks of a program, prints how many there were and returns its exit status.
inline int run(const std::function<void()>& checks) {
    const std::string reason = reason_of(checks);
    if (!reason.empty()) expect(false, "unexpected", 0, reason);
    std::cout << n_checks << " checks, " << n_failures << " failed\n";
    return n_failures == 0 && n_checks > 0 ? 0 : 1;
}
}  // namespace check

#define CHECK(condition) check::expect(bool(condition), __FILE__, __LINE__, "not true: " #condition)
#define CHECK_EQUAL(got, wanted)                                                                       \
    do {                                                                                               \
        const auto got_ = (got);                                                                       \
        const decltype(got_) wanted_ = (wanted);                                                       \
        check::expect(got_ == wanted_, __FILE__, __LINE__, #got " is ", got_, ", expected ", wanted_); \
    } while (false)
#define CHECK_CLOSE(got, wanted, tolerance)                                                                         \
    do {                                                                                                            \
        const double got_ = (got), wanted_ = (wanted);                                                              \
        check::expect(check::close(got_, wanted_, tolerance), __FILE__, __LINE__, #got " is ", got_, ", expected ", \
                      wanted_, ", off by ", got_ - wanted_);                                                        \
    } while (false)
#define CHECK_REFUSED(call, words) check::expect_refused([&] { (void)(call); }, words, __FILE__, __LINE__)
