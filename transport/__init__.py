"""Bytes on the wire: one port for HTTP and WebSocket, frames, sessions and dialects."""

from transport.addresses import ClientAddress, TrustedProxies
from transport.bearer import (
    BEARER,
    Shown,
    Where,
    bearer_word,
    challenge,
    has_query_token,
    protocol_token,
    shown_token,
    spoken_protocols,
)
from transport.codec import CodecError, decode_json, encode_json
from transport.codes import CODES, RIGHTS_CHANGED, Code, ProtocolError, UsageError, code_of
from transport.cookies import cookie_in, cookie_name, set_cookie
from transport.encoder import Encoder
from transport.fetching import Fetched, Fetcher, FetcherStatistics
from transport.frames import Batch, Frame, text_frame
from transport.gate import Door, Gate, Link, Peer
from transport.http import Request, Response, json_response, problem, problem_of
from transport.links import Closed, LinkLimits, LinkStatistics
from transport.listeners import UnsentLimit, address_of, check_unsent_limit, is_tcp, open_listeners
from transport.mint import TokenMint
from transport.origins import is_asked_here, is_own_page
from transport.outbox import Limits
from transport.outgoing import Answer, Unanswered, post
from transport.quotas import charge, holder_of, told
from transport.refusals import Refused, Unfetched, advice_on, place_of
from transport.routes import Handler, Route, RouteGuard, Routes, let_in_everybody
from transport.server import Backlog, Server, ServerStatistics
from transport.session import (
    Acknowledge,
    Admit,
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
    Withhold,
)
from transport.stream import FrameStream
from transport.tls import outgoing_context
from transport.tokens import (
    SEED_SIZE,
    TOKEN_LIMIT,
    KeyFault,
    Signer,
    has_libraries,
    load_libraries,
    public_keys,
    secret_signer,
    seed_signer,
)
from transport.verifier import KeyRing, TokenVerifier, Trusted
from transport.websocket_client import WebSocketLink, connect

__all__ = [
    "BEARER",
    "CODES",
    "RIGHTS_CHANGED",
    "SEED_SIZE",
    "TOKEN_LIMIT",
    "Acknowledge",
    "Admit",
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
    "KeyFault",
    "KeyRing",
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
    "RouteGuard",
    "Routes",
    "Send",
    "Server",
    "ServerStatistics",
    "Session",
    "Show",
    "Shown",
    "Signer",
    "Step",
    "Subscribe",
    "TokenMint",
    "TokenVerifier",
    "Trusted",
    "TrustedProxies",
    "Unanswered",
    "Unfetched",
    "UnsentLimit",
    "Unsubscribe",
    "UsageError",
    "WebSocketLink",
    "Where",
    "Withhold",
    "address_of",
    "advice_on",
    "bearer_word",
    "challenge",
    "charge",
    "check_unsent_limit",
    "code_of",
    "connect",
    "cookie_in",
    "cookie_name",
    "decode_json",
    "encode_json",
    "has_libraries",
    "has_query_token",
    "holder_of",
    "is_asked_here",
    "is_own_page",
    "is_tcp",
    "json_response",
    "let_in_everybody",
    "load_libraries",
    "open_listeners",
    "outgoing_context",
    "place_of",
    "post",
    "problem",
    "problem_of",
    "protocol_token",
    "public_keys",
    "secret_signer",
    "seed_signer",
    "set_cookie",
    "shown_token",
    "spoken_protocols",
    "text_frame",
    "told",
]
