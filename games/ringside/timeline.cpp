#include "timeline.hpp"

#include <map>
#include <optional>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "output_file.hpp"

namespace ringside {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::uint32_t main_track = 1;  // of a process: what is not a session's

/// Microseconds since the first entry: a double has no room for ns since the boot.
class Timeline {
public:
    Timeline(const FlightLog& log, std::int64_t began_ns) : log_(log), began_ns_(began_ns) {
        for (std::uint32_t source = 0; source < log.sources(); ++source) {
            name_process(process_of(source), log.name(source));
        }
        name_process(clients_, "clients");
    }

    void add(const FlightEntry& entry) {
        switch (entry.happened.what) {
            case Happening::tick_begin: ticks_[entry.source] = entry.ns; return;
            case Happening::tick_end:
                close(ticks_, entry, fmt::format("tick {}", entry.happened.first));
                saving_[entry.source] = entry.ns;
                return;
            case Happening::snapshot_published:
                close(saving_, entry, fmt::format("snapshot {}", entry.happened.second));
                return;
            case Happening::park: asleep_[entry.source] = entry.ns; return;
            case Happening::woken: close(asleep_, entry, "parked"); return;
            case Happening::client_sent:
            case Happening::client_saw:
            case Happening::input:
            case Happening::event_published:
            case Happening::event_applied: return;  // ways show them
            default: return add_instant(entry);
        }
    }

    void add(const EventWay& way) {
        const std::string name = fmt::format("input {}", way.number);
        const auto at = [&](Point point) { return way.at(point); };
        const std::uint32_t front = process_of(way.front_source);
        const std::uint32_t track = track_of(front, way.session);
        add_slice(front, track, name, at(Point::received), at(Point::published));
        add_slice(process_of(way.game_source), main_track, name, at(Point::applied),
                  at(Point::snapshot));
        add_slice(front, track, "view of " + name, at(Point::read), at(Point::sent));
        ++flows_;
        if (way.stamped) {
            const std::uint32_t client = track_of(clients_, way.session);
            add_slice(clients_, client, name, at(Point::client_sent), at(Point::client_saw));
            add_flow("s", clients_, client, at(Point::client_sent));
        }
        add_flow(way.stamped ? "t" : "s", front, track, at(Point::received));
        add_flow("t", process_of(way.game_source), main_track, at(Point::applied));
        add_flow("f", front, track, at(Point::read));
    }

    [[nodiscard]] std::string text() const {
        return R"({"displayTimeUnit":"ns","traceEvents":[)" + events_ + "]}\n";
    }

private:
    using Begun = std::map<std::uint32_t, std::optional<std::int64_t>>;  // by source

    static std::uint32_t process_of(std::uint32_t source) { return source + 1; }

    void put(const Json& event) {
        events_ += events_.empty() ? "\n" : ",\n";
        events_ += event.dump();
    }

    [[nodiscard]] double us(std::int64_t ns) const {
        return static_cast<double>(ns - began_ns_) / 1e3;
    }

    void name_process(std::uint32_t process, const std::string& name) {
        put({{"ph", "M"}, {"name", "process_name"}, {"pid", process}, {"args", {{"name", name}}}});
    }

    std::uint32_t track_of(std::uint32_t process, SessionId session) {
        const auto [found, is_new] = tracks_.try_emplace(
            {process, value(session)}, static_cast<std::uint32_t>(tracks_.size()) + main_track + 1);
        if (is_new) {
            put({{"ph", "M"},
                 {"name", "thread_name"},
                 {"pid", process},
                 {"tid", found->second},
                 {"args", {{"name", fmt::format("session {:016x}", value(session))}}}});
        }
        return found->second;
    }

    void add_slice(std::uint32_t process, std::uint32_t track, const std::string& name,
                   std::int64_t from_ns, std::int64_t to_ns) {
        put({{"ph", "X"},
             {"name", name},
             {"cat", "ringside"},
             {"pid", process},
             {"tid", track},
             {"ts", us(from_ns)},
             {"dur", static_cast<double>(to_ns - from_ns) / 1e3}});
    }

    void add_flow(const char* phase, std::uint32_t process, std::uint32_t track, std::int64_t ns) {
        Json flow{{"ph", phase},    {"name", "input"}, {"cat", "way"}, {"id", flows_},
                  {"pid", process}, {"tid", track},    {"ts", us(ns)}};
        if (phase[0] == 'f') {
            flow["bp"] = "e";  // ends at the slice around it, not at the next one
        }
        put(flow);
    }

    void close(Begun& begun, const FlightEntry& entry, const std::string& name) {
        if (const auto from_ns = std::exchange(begun[entry.source], std::nullopt)) {
            add_slice(process_of(entry.source), main_track, name, *from_ns, entry.ns);
        }
    }

    void add_instant(const FlightEntry& entry) {
        put({{"ph", "i"},
             {"s", "t"},
             {"name", happening_names[static_cast<std::size_t>(entry.happened.what)].name},
             {"cat", "ringside"},
             {"pid", process_of(entry.source)},
             {"tid", main_track},
             {"ts", us(entry.ns)},
             {"args", Json::parse(json_of(log_, entry))}});
    }

    const FlightLog& log_;
    std::int64_t began_ns_;
    std::uint32_t clients_ = log_.sources() + 1;
    std::uint32_t flows_ = 0;
    Begun ticks_;
    Begun saving_;
    Begun asleep_;
    std::map<std::pair<std::uint32_t, std::uint64_t>, std::uint32_t> tracks_;
    std::string events_;  // as text at once: some seconds of a full host have a million of them
};

}  // namespace

Result<void> write_timeline(const std::string& path, const FlightLog& log,
                            const std::vector<FlightEntry>& entries,
                            const std::vector<EventWay>& ways) {
    std::int64_t began_ns = entries.empty() ? 0 : entries.front().ns;
    for (const EventWay& way : ways) {
        began_ns = std::min(began_ns, way.at_ns[way.first()]);
    }
    Timeline timeline(log, began_ns);
    for (const FlightEntry& entry : entries) {
        timeline.add(entry);
    }
    for (const EventWay& way : ways) {
        timeline.add(way);
    }
    auto file = OutputFile::create(path);
    if (!file) {
        return std::unexpected(std::move(file.error()));
    }
    const std::string text = timeline.text();
    return file->append(std::as_bytes(std::span(text)));
}

}  // namespace ringside
