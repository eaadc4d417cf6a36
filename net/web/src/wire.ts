// The wire protocol's messages, as flatc makes them from core/schema/wire.fbs.

export { ClientMessage } from "@wire/client-message";
export { FromClient } from "@wire/from-client";
export { FromHost } from "@wire/from-host";
export { Games } from "@wire/games";
export { Hello } from "@wire/hello";
export { HostMessage } from "@wire/host-message";
export { Input } from "@wire/input";
export { Join } from "@wire/join";
export { JoinMode } from "@wire/join-mode";
export { Joined } from "@wire/joined";
export { Leave } from "@wire/leave";
export { Left } from "@wire/left";
export { List } from "@wire/list";
export { Notice } from "@wire/notice";
export { Players } from "@wire/players";
export { Ping } from "@wire/ping";
export { Pong } from "@wire/pong";
export { Refused } from "@wire/refused";
export { Resume } from "@wire/resume";
export { SeatInput } from "@wire/seat-input";
export { Snapshot } from "@wire/snapshot";
export { Delta } from "@wire/delta";
export { Watch } from "@wire/watch";
export { Watching } from "@wire/watching";
export { Welcome } from "@wire/welcome";
