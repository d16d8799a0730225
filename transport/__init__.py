"""Bytes on the wire: one port for HTTP and WebSocket, frames, sessions and dialects."""

from transport.addresses import ClientAddress, TrustedProxies
from transport.codec import CodecError, decode_json, encode_json
from transport.codes import CODES, Code, ProtocolError, UsageError, code_of
from transport.encoder import Encoder
from transport.fetching import Fetched, Fetcher, FetcherStatistics
from transport.frames import Batch, Frame, text_frame
from transport.gate import Door, Gate, Link, Peer
from transport.http import Request, Response, json_response, problem, problem_of
from transport.links import Closed, LinkLimits, LinkStatistics
from transport.listeners import UnsentLimit, address_of, check_unsent_limit, is_tcp, open_listeners
from transport.outbox import Limits
from transport.outgoing import Answer, Unanswered, post
from transport.refusals import Refused, Unfetched, advice_on, place_of
from transport.routes import Handler, Route, Routes
from transport.server import Backlog, Server, ServerStatistics
from transport.session import (
    Acknowledge,
    Close,
    Enquire,
    Express,
    Followed,
    Grant,
    Introduce,
    Prompt,
    Resume,
    Resumed,
    Send,
    Session,
    Show,
    Step,
    Subscribe,
    Unsubscribe,
)
from transport.stream import FrameStream
from transport.websocket_client import WebSocketLink, connect

__all__ = [
    "CODES",
    "Acknowledge",
    "Answer",
    "Backlog",
    "Batch",
    "ClientAddress",
    "Close",
    "Closed",
    "Code",
    "CodecError",
    "Door",
    "Encoder",
    "Enquire",
    "Express",
    "Fetched",
    "Fetcher",
    "FetcherStatistics",
    "Followed",
    "Frame",
    "FrameStream",
    "Gate",
    "Grant",
    "Handler",
    "Introduce",
    "Limits",
    "Link",
    "LinkLimits",
    "LinkStatistics",
    "Peer",
    "Prompt",
    "ProtocolError",
    "Refused",
    "Request",
    "Response",
    "Resume",
    "Resumed",
    "Route",
    "Routes",
    "Send",
    "Server",
    "ServerStatistics",
    "Session",
    "Show",
    "Step",
    "Subscribe",
    "TrustedProxies",
    "Unanswered",
    "Unfetched",
    "UnsentLimit",
    "Unsubscribe",
    "UsageError",
    "WebSocketLink",
    "address_of",
    "advice_on",
    "check_unsent_limit",
    "code_of",
    "connect",
    "decode_json",
    "encode_json",
    "is_tcp",
    "json_response",
    "open_listeners",
    "place_of",
    "post",
    "problem",
    "problem_of",
    "text_frame",
]
