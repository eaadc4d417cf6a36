#include "serve.hpp"

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>
#include <functional>
#include <string>
#include <utility>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include "doctor_checks.hpp"
#include "metrics.hpp"
#include "qr_code.hpp"
#include "service_manager.hpp"
#include "successor.hpp"
#include "web_assets.hpp"

#include "ringside/core/clock.hpp"
#include "ringside/core/log.hpp"
#include "ringside/ipc/supervisor.hpp"
#include "ringside/net/front.hpp"
#include "ringside/relay/relay.hpp"
#include "ringside/tron/rules.hpp"

namespace ringside {
namespace {

constexpr std::int64_t in_use_ns_max = 1'000'000'000;
constexpr std::int64_t in_use_poll_ns = 10'000'000;

constexpr int exit_code_refused = 1;
constexpr std::chrono::microseconds card_poll{50};

int refuse(const Error& error) {
    log(LogLevel::error, error.text());
    return exit_code_refused;
}

// A host holds a descriptor per connection; the soft limit is often 1,024.
void raise_descriptor_limit() {
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);  // without it there are fewer connections, no failure
    }
}

// An address of this machine that others may reach; a guess, for a sentence to a person.
std::string own_address() {
    ifaddrs* first = nullptr;
    if (getifaddrs(&first) != 0) {
        return "127.0.0.1";
    }
    std::string found = "127.0.0.1";
    for (const ifaddrs* next = first; next != nullptr; next = next->ifa_next) {
        if (next->ifa_addr != nullptr && next->ifa_addr->sa_family == AF_INET &&
            (next->ifa_flags & (IFF_UP | IFF_LOOPBACK)) == IFF_UP) {
            std::array<char, INET_ADDRSTRLEN> text{};
            const auto* address = reinterpret_cast<const sockaddr_in*>(next->ifa_addr);
            inet_ntop(AF_INET, &address->sin_addr, text.data(), text.size());
            found = text.data();
            break;
        }
    }
    freeifaddrs(first);
    return found;
}

bool is_wildcard(const std::string& host) {
    return host.empty() || host == "0.0.0.0" || host == "::";
}

std::string page_link(const Endpoint& endpoint) {
    const std::string host = is_wildcard(endpoint.host) ? own_address() : endpoint.host;
    const bool is_ipv6 = host.find(':') != std::string::npos;
    return fmt::format("http://{}{}{}:{}/", is_ipv6 ? "[" : "", host, is_ipv6 ? "]" : "",
                       endpoint.port);
}

std::string places_of(const std::vector<Endpoint>& listening) {
    std::string places;
    for (const Endpoint& endpoint : listening) {
        places += (places.empty() ? "" : ", ") + endpoint.text();
    }
    return places;
}

void announce(const std::vector<Endpoint>& listening) {
    // An address others can reach, if there is one.
    const auto tcp = std::ranges::find_if(
        listening, [](const Endpoint& endpoint) { return endpoint.unix_path.empty(); });
    std::printf("listening on %s; join with: %s\n", places_of(listening).c_str(),
                join_command(tcp != listening.end() ? *tcp : listening.front()).c_str());
    if (tcp != listening.end() && !web_assets().empty()) {
        const std::string link = page_link(*tcp);
        std::printf("in a browser: %s\n", link.c_str());
        if (isatty(STDOUT_FILENO) != 0) {
            std::printf("\n%s\n", qr_code(link).c_str());
        }
    }
    std::fflush(stdout);
}

Result<void> judge_scheduling(const ServeOptions& options) {
    const auto refused = [](std::string text) {
        return failure(std::make_error_code(std::errc::invalid_argument), std::move(text));
    };
    std::vector<int> never_idle = options.spin_cpus;
    for (const int cpu : options.front_cpus) {
        if (std::ranges::find(options.spin_cpus, cpu) != options.spin_cpus.end()) {
            return refused(
                fmt::format("CPU {} is in --cpus-front and in --spin-cpus: a game that "
                            "never sleeps leaves no time to a front there",
                            cpu));
        }
        if (options.busy_poll) {
            never_idle.push_back(cpu);
        }
    }
    if (!options.realtime) {
        return {};
    }
    if (options.busy_poll && options.front_cpus.empty()) {
        return refused(
            "--fifo fronts that never sleep leave nothing to others on their CPU; "
            "say which with --cpus-front");
    }
    cpu_set_t allowed;
    CPU_ZERO(&allowed);
    sched_getaffinity(0, sizeof(allowed), &allowed);
    if (never_idle.size() >= static_cast<std::size_t>(CPU_COUNT(&allowed))) {
        return refused(
            fmt::format("--fifo processes that never sleep would take all {} CPUs; "
                        "leave one to the supervisor and its games",
                        CPU_COUNT(&allowed)));
    }
    return {};
}

// What is not permitted costs some microseconds, no more.
ServeOptions only_permitted(ServeOptions options) {
    if (options.realtime && !may_run_first()) {
        log(LogLevel::warning,
            "going on without --fifo: it is not permitted to this user; run as root or with "
            "CAP_SYS_NICE");
        options.realtime = false;
    }
    rlimit limit{};
    const bool limited = getrlimit(RLIMIT_MEMLOCK, &limit) != 0 || limit.rlim_max != RLIM_INFINITY;
    if (options.mlock && limited && !has_capability(Machine("/"), cap_ipc_lock)) {
        log(LogLevel::warning,
            "going on without --mlock: with a limit of locked memory, games could not be opened "
            "any more; `ulimit -Hl unlimited`, or CAP_IPC_LOCK");
        options.mlock = false;
    } else if (options.mlock) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_MEMLOCK, &limit);  // without it mlockall says so
    }
    return options;
}

class Listeners {
public:
    Listeners() = default;
    Listeners(const Listeners&) = delete;
    Listeners& operator=(const Listeners&) = delete;
    ~Listeners() {
        for (std::size_t i = 0; i < sockets.fds.size(); ++i) {
            close(sockets.fds[i]);
            if (i >= sockets.passed && !endpoints[i].unix_path.empty()) {
                unlink(endpoints[i].unix_path.c_str());
            }
        }
    }

    /// Those that the program before this one has open, if there was one; else those that a service
    /// manager passed, and then those that are wanted.
    Result<void> open(const std::vector<Endpoint>& wanted, const Handover& handover) {
        ListeningSockets there = handover.sockets;
        if (handover.lock_fd < 0) {
            auto passed = take_passed_sockets();
            if (!passed) {
                return std::unexpected(std::move(passed.error()));
            }
            there = {.fds = *passed, .passed = passed->size()};
        }
        for (; sockets.passed < there.passed; ++sockets.passed) {
            add(bound_endpoint(there.fds[sockets.passed]), there.fds[sockets.passed]);
        }
        const std::vector<Endpoint> everywhere{Endpoint{}};
        for (const Endpoint& endpoint : wanted.empty() && there.passed == 0 ? everywhere : wanted) {
            if (sockets.fds.size() < there.fds.size()) {
                add(endpoint, there.fds[sockets.fds.size()]);
            } else if (auto listening = listen(endpoint); !listening) {
                return listening;
            }
        }
        return {};
    }

    /// A socket of one's own.
    Result<void> listen(const Endpoint& endpoint) {
        // The processes of a host that was killed a moment ago have its sockets until they are
        // gone.
        const std::int64_t give_up_ns = monotonic_ns() + in_use_ns_max;
        auto fd = listen_on(endpoint);
        while (!fd && fd.error().code == std::errc::address_in_use && monotonic_ns() < give_up_ns) {
            sleep_until(monotonic_ns() + in_use_poll_ns);
            fd = listen_on(endpoint);
        }
        if (!fd) {
            return std::unexpected(fd.error());
        }
        add(endpoint, *fd);
        return {};
    }

    ListeningSockets sockets;
    std::vector<Endpoint> endpoints;

private:
    void add(Endpoint endpoint, int fd) {
        if (endpoint.unix_path.empty()) {
            endpoint.port = bound_port(fd);
        }
        sockets.fds.push_back(fd);
        endpoints.push_back(std::move(endpoint));
    }
};

std::vector<Companion> companions_of(const ServeOptions& options, const Listeners& players,
                                     const Listeners& scrapers) {
    // A disk that hangs, and a process with it, must not keep the port from the next host.
    const auto close_all = [](const Listeners& listeners) {
        for (const int fd : listeners.sockets.fds) {
            close(fd);
        }
    };
    std::vector<Companion> companions;
    if (!options.record.folder.empty()) {
        companions.push_back({"companion", [=, &options, &players, &scrapers](int stop_fd) {
                                  close_all(players);
                                  close_all(scrapers);
                                  return keep_matches(options.record, options.instance, stop_fd);
                              }});
    }
    if (options.metrics) {
        companions.push_back({"metrics", [=, &options, &players, &scrapers](int stop_fd) {
                                  close_all(players);
                                  return serve_metrics(options.instance,
                                                       scrapers.sockets.fds.front(), stop_fd);
                              }});
    }
    return companions;
}

int check(const HostOptions& host, std::span<const GameType* const> types) {
    const auto games = check_instance(host, types);
    if (!games) {
        return refuse(games.error());
    }
    std::printf("would go on with %zu games\n", *games);
    return 0;
}

}  // namespace

std::string join_command(Endpoint endpoint) {
    if (!endpoint.unix_path.empty()) {
        return fmt::format("ringside play -A {}", endpoint.text());
    }
    if (is_wildcard(endpoint.host)) {
        endpoint.host = own_address();
    }
    return endpoint.port == port_default
               ? fmt::format("ringside play -A {}", endpoint.host)
               : fmt::format("ringside play -A {} -P {}", endpoint.host, endpoint.port);
}

int run_serve(const ServeOptions& wanted) {
    std::signal(SIGPIPE, SIG_IGN);  // a host goes on when nobody reads its log any more
    find_journal();
    set_log_level(wanted.log_level);
    raise_descriptor_limit();
    const auto kernel = check_kernel();
    if (!kernel) {
        return refuse(kernel.error());
    }
    if (auto judged = judge_scheduling(wanted); !judged) {
        return refuse(judged.error());
    }
    const ServeOptions options = wanted.check ? wanted : only_permitted(wanted);
    const Handover handover = take_handover();
    Listeners listeners;
    if (auto listening = options.check ? Result<void>{} : listeners.open(options.listen, handover);
        !listening) {
        return refuse(listening.error());
    }
    Listeners scrapers;
    if (options.metrics && !options.check) {
        if (auto listening = scrapers.listen(*options.metrics); !listening) {
            return refuse(listening.error());
        }
    }
    if (auto made = options.record.folder.empty() || options.check
                        ? Result<void>{}
                        : make_folder(options.record.folder);
        !made) {
        return refuse(made.error());
    }
    if (!options.flight_dir.empty() && !options.check &&
        ::access(options.flight_dir.c_str(), W_OK | X_OK) != 0) {
        return refuse(errno_failure(fmt::format("--flight-dir '{}' is no folder to write to",
                                                options.flight_dir))
                          .error());
    }
    const bool uring_futex = options.uring_futex && kernel->futexes;
    const auto watchdog = watchdog_period();
    const HostOptions host{.instance = options.instance,
                           .games_max = options.games_max,
                           .games_per_creator_max = options.games_per_address,
                           .fronts = options.fronts,
                           .idle_timeout = options.idle_timeout,
                           .resume_grace = options.resume_grace,
                           .wake_by_eventfd = !uring_futex,
                           .front_cpus = options.front_cpus,
                           .game_cpus = options.game_cpus,
                           .spin_cpus = options.spin_cpus,
                           .realtime = options.realtime,
                           .fresh = options.fresh && handover.lock_fd < 0,
                           .restores_per_second = options.restores_per_second,
                           .flight_folder = options.flight_dir,
                           .flight_late = options.flight_late,
                           .successor = options.arguments.empty()
                                            ? Successor{}
                                            : make_successor(options.arguments, listeners.sockets),
                           .companions = companions_of(options, listeners, scrapers),
                           .on_alive = watchdog ? tell_alive : std::function<void()>(),
                           .alive_period = watchdog.value_or(std::chrono::seconds(1)) / 4,
                           .on_stopping = tell_stopping,
                           .lock_fd = handover.lock_fd};
    const std::array<const GameType*, 2> types{
        options.fill_with_bots ? &tron::tron_type_with_bots() : &tron::tron_type(),
        &relay::relay_type()};
    if (options.check) {
        return check(host, types);
    }
    const auto front_main = [&](FrontLink link) {
        for (const int fd : scrapers.sockets.fds) {
            close(fd);
        }
        return run_front(
            std::move(link), listeners.sockets.fds,
            {.resume_grace = options.resume_grace,
             .idle_timeout = options.session_timeout,
             .connections_per_address_max = options.connections_per_address,
             .limit_own_address = options.limit_own_address,
             .messages_per_second_max = options.messages_per_second,
             .trace_every = options.trace_every,
             .uring_futex = uring_futex,
             .busy_poll = options.busy_poll,
             .spin = options.spin,
             .submit_by_thread = options.sqpoll,
             .card_poll = options.napi_busy_poll ? card_poll : std::chrono::microseconds(0),
             .lock_memory = options.mlock,
             .fronts = options.fronts,
             .web_assets = web_assets(),
             .replays_folder = options.record.folder.empty() ? std::string()
                                                             : newest_folder(options.record.folder),
             .allowed_origins = options.allowed_origins,
             .trusted_proxies = options.trusted_proxies,
             .network = options.network});
    };
    int ready_fd = options.ready_fd;
    const auto on_ready = [&] {
        tell_ready("listening on " + places_of(listeners.endpoints));
        if (!options.quiet) {
            announce(listeners.endpoints);
            if (options.metrics) {
                std::printf("metrics: http://%s/metrics\n", scrapers.endpoints[0].text().c_str());
                std::fflush(stdout);
            }
        }
        if (ready_fd >= 0) {
            static_cast<void>(!write(ready_fd, "+", 1));
            close(std::exchange(ready_fd, -1));
        }
    };
    const auto hosted = run_host(host, types, front_main, on_ready);
    return hosted ? *hosted : refuse(hosted.error());
}

}  // namespace ringside
