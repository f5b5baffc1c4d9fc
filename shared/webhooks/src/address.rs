//! Public internet addresses: global unicast by IANA's registries of special-purpose addresses (IPv4 and IPv6, as of
//! 2025), read more strictly than they are written. An address that no receiver of webhooks has is refused even if a
//! registry calls it reachable.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};

const SPECIAL_V4: [Ipv4Net; 19] = [
    v4([0, 0, 0, 0], 8),        // "this network", RFC 791 §3.2; Linux takes 0.0.0.0 for itself
    v4([10, 0, 0, 0], 8),       // private use, RFC 1918
    v4([100, 64, 0, 0], 10),    // shared address space, RFC 6598; metadata of Alibaba Cloud
    v4([127, 0, 0, 0], 8),      // loopback, RFC 1122 §3.2.1.3
    v4([168, 63, 129, 16], 32), // in no registry: Azure's WireServer, which answers its own machines alone
    v4([169, 254, 0, 0], 16),   // link-local, RFC 3927; metadata and credentials of most clouds
    v4([172, 16, 0, 0], 12),    // private use, RFC 1918
    v4([192, 0, 0, 0], 24),     // IETF protocol assignments, RFC 6890 §2.1; metadata of Oracle Cloud
    v4([192, 0, 2, 0], 24),     // documentation (TEST-NET-1), RFC 5737
    v4([192, 31, 196, 0], 24),  // AS112, RFC 7535
    v4([192, 52, 193, 0], 24),  // AMT, RFC 7450
    v4([192, 88, 99, 0], 24),   // 6to4 relays, deprecated, RFC 7526
    v4([192, 168, 0, 0], 16),   // private use, RFC 1918
    v4([192, 175, 48, 0], 24),  // AS112, RFC 7534
    v4([198, 18, 0, 0], 15),    // benchmarking, RFC 2544
    v4([198, 51, 100, 0], 24),  // documentation (TEST-NET-2), RFC 5737
    v4([203, 0, 113, 0], 24),   // documentation (TEST-NET-3), RFC 5737
    v4([224, 0, 0, 0], 4),      // multicast, RFC 5771
    v4([240, 0, 0, 0], 4),      // reserved, RFC 1112 §4; limited broadcast, RFC 8190
];

/// IPv6 unicast addresses that IANA has assigned (RFC 4291 §2.4).
const GLOBAL_UNICAST_V6: Ipv6Net = v6([0x2000, 0, 0, 0, 0, 0, 0, 0], 3);

/// Special prefixes of IPv6. Those that contain an IPv4 address (compatible, mapped, NAT64, Teredo, 6to4) are refused
/// as a whole, since the name of a public receiver has the IPv4 address itself. Those outside [`GLOBAL_UNICAST_V6`]
/// would be refused without this list, and are in it so that it can be compared with the registry.
#[rustfmt::skip] // a table
const SPECIAL_V6: [Ipv6Net; 16] = [
    v6([0, 0, 0, 0, 0, 0, 0, 0], 96),              // IPv4-compatible, `::` and `::1`, RFC 4291 §2.5
    v6([0, 0, 0, 0, 0, 0xffff, 0, 0], 96),         // IPv4-mapped, RFC 4291 §2.5.5.2
    v6([0x64, 0xff9b, 0, 0, 0, 0, 0, 0], 96),      // NAT64, RFC 6052
    v6([0x64, 0xff9b, 1, 0, 0, 0, 0, 0], 48),      // NAT64 within one network, RFC 8215
    v6([0x100, 0, 0, 0, 0, 0, 0, 0], 64),          // discard-only, RFC 6666
    v6([0x100, 0, 0, 1, 0, 0, 0, 0], 64),          // dummy prefix, RFC 9780
    v6([0x2001, 0, 0, 0, 0, 0, 0, 0], 23),         // IETF protocol assignments, RFC 2928: Teredo, ORCHID, …
    v6([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0], 32),     // documentation, RFC 3849
    v6([0x2002, 0, 0, 0, 0, 0, 0, 0], 16),         // 6to4, RFC 3056
    v6([0x2620, 0x4f, 0x8000, 0, 0, 0, 0, 0], 48), // AS112, RFC 7534
    v6([0x3fff, 0, 0, 0, 0, 0, 0, 0], 20),         // documentation, RFC 9637
    v6([0x5f00, 0, 0, 0, 0, 0, 0, 0], 16),         // segment routing, RFC 9602
    v6([0xfc00, 0, 0, 0, 0, 0, 0, 0], 7),          // unique local, RFC 4193; metadata of AWS and Google Cloud
    v6([0xfe80, 0, 0, 0, 0, 0, 0, 0], 10),         // link-local, RFC 4291 §2.5.6
    v6([0xfec0, 0, 0, 0, 0, 0, 0, 0], 10),         // site-local, deprecated, RFC 3879
    v6([0xff00, 0, 0, 0, 0, 0, 0, 0], 8),          // multicast, RFC 4291 §2.7
];

/// Whether an address is global unicast: public, not special, and not an IPv4 address in IPv6 form.
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => !SPECIAL_V4.iter().any(|special| special.contains(&address)),
        IpAddr::V6(address) => {
            GLOBAL_UNICAST_V6.contains(&address)
                && !SPECIAL_V6.iter().any(|special| special.contains(&address))
        }
    }
}

const fn v4(octets: [u8; 4], prefix_len: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::from_octets(octets), prefix_len)
}

const fn v6(segments: [u16; 8], prefix_len: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::from_segments(segments), prefix_len)
}

#[cfg(test)]
mod tests {
    use proptest::{prelude::*, sample::select};

    use super::*;

    /// First and last public address next to each special prefix of IPv4, in the registry's order. Written by hand, so
    /// that a prefix in the table which is too long, too short or missing is detected.
    const EDGES_V4: [(&str, &str, &str, &str); 16] = [
        ("9.255.255.255", "10.0.0.0", "10.255.255.255", "11.0.0.0"),
        ("100.63.255.255", "100.64.0.0", "100.127.255.255", "100.128.0.0"),
        ("126.255.255.255", "127.0.0.0", "127.255.255.255", "128.0.0.0"),
        ("168.63.129.15", "168.63.129.16", "168.63.129.16", "168.63.129.17"),
        ("169.253.255.255", "169.254.0.0", "169.254.255.255", "169.255.0.0"),
        ("172.15.255.255", "172.16.0.0", "172.31.255.255", "172.32.0.0"),
        ("191.255.255.255", "192.0.0.0", "192.0.0.255", "192.0.1.0"),
        ("192.0.1.255", "192.0.2.0", "192.0.2.255", "192.0.3.0"),
        ("192.31.195.255", "192.31.196.0", "192.31.196.255", "192.31.197.0"),
        ("192.52.192.255", "192.52.193.0", "192.52.193.255", "192.52.194.0"),
        ("192.88.98.255", "192.88.99.0", "192.88.99.255", "192.88.100.0"),
        ("192.167.255.255", "192.168.0.0", "192.168.255.255", "192.169.0.0"),
        ("192.175.47.255", "192.175.48.0", "192.175.48.255", "192.175.49.0"),
        ("198.17.255.255", "198.18.0.0", "198.19.255.255", "198.20.0.0"),
        ("198.51.99.255", "198.51.100.0", "198.51.100.255", "198.51.101.0"),
        ("203.0.112.255", "203.0.113.0", "203.0.113.255", "203.0.114.0"),
    ];

    #[test]
    fn ipv4_prefixes_are_refused_to_their_edges() {
        for (before, first, last, after) in EDGES_V4 {
            assert!(public(before) && public(after), "{before} {after}");
            assert!(!public(first) && !public(last), "{first} {last}");
        }
        // Those at the ends have a neighbor on one side only.
        for refused in [
            "0.0.0.0",
            "0.255.255.255",
            "224.0.0.0",
            "239.255.255.255",
            "240.0.0.0",
            "255.255.255.255",
        ] {
            assert!(!public(refused), "{refused}");
        }
        assert!(public("1.0.0.0") && public("223.255.255.255"));
    }

    #[test]
    fn ipv6_prefixes_are_refused_to_their_edges() {
        for (before, first, last, after) in [
            ("", "::", "1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "2000::"),
            (
                "2000:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
                "2001::",
                "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff",
                "2001:200::",
            ),
            (
                "2001:db7:ffff::",
                "2001:db8::",
                "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff",
                "2001:db9::",
            ),
            (
                "2001:ffff:ffff::",
                "2002::",
                "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
                "2003::",
            ),
            (
                "2620:4f:7fff:ffff::",
                "2620:4f:8000::",
                "2620:4f:8000:ffff:ffff:ffff:ffff:ffff",
                "2620:4f:8001::",
            ),
            (
                "3ffe:ffff::",
                "3fff::",
                "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff",
                "3fff:1000::",
            ),
            (
                "3fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
                "4000::",
                "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
                "",
            ),
        ] {
            for neighbor in [before, after].into_iter().filter(|text| !text.is_empty()) {
                assert!(public(neighbor), "{neighbor}");
            }
            assert!(!public(first) && !public(last), "{first} {last}");
        }
    }

    #[test]
    fn addresses_of_real_receivers_are_public() {
        for address in [
            "8.8.8.8",
            "52.94.236.248",
            "2606:4700:4700::1111",
            "2a00:1450:4001:80b::200e",
            "2001:4860:4860::8888",
        ] {
            assert!(public(address), "{address}");
        }
    }

    proptest! {
        #[test]
        fn ipv4_address_outside_the_table_is_public(bits: u32) {
            let address = Ipv4Addr::from_bits(bits);
            let special = SPECIAL_V4.iter().any(|net| net.network() <= address && address <= net.broadcast());
            prop_assert_eq!(is_public(address.into()), !special);
        }

        #[test]
        fn special_ipv4_address_in_ipv6_is_refused(net in select(&SPECIAL_V4[..]), host: u32) {
            let address = Ipv4Addr::from_bits(net.network().to_bits() | (host & net.hostmask().to_bits()));
            prop_assert!(net.contains(&address) && !is_public(address.into()), "{}", address);
            for wrapped in wrappings(address) {
                prop_assert!(!is_public(wrapped.into()), "{}", wrapped);
            }
        }

        #[test]
        fn public_ipv4_address_in_ipv6_is_refused(bits: u32) {
            for wrapped in wrappings(Ipv4Addr::from_bits(bits)) {
                prop_assert!(!is_public(wrapped.into()), "{}", wrapped);
            }
        }

        #[test]
        fn special_ipv6_address_is_refused(net in select(&SPECIAL_V6[..]), host: u128) {
            let address = Ipv6Addr::from_bits(net.network().to_bits() | (host & net.hostmask().to_bits()));
            prop_assert!(net.contains(&address) && !is_public(address.into()), "{}", address);
        }
    }

    fn public(address: &str) -> bool {
        is_public(address.parse().unwrap())
    }

    /// Compatible, mapped, NAT64 in both prefixes, 6to4, Teredo's server and Teredo's client (RFC 4380 §4).
    fn wrappings(address: Ipv4Addr) -> [Ipv6Addr; 7] {
        let bits = u128::from(address.to_bits());
        [
            bits,
            0xffff_0000_0000 | bits,
            (0x0064_ff9b << 96) | bits,
            (0x0064_ff9b_0001 << 80) | bits,
            (0x2002 << 112) | (bits << 80),
            (0x2001 << 112) | (bits << 64),
            (0x2001 << 112) | (!bits & 0xffff_ffff),
        ]
        .map(Ipv6Addr::from_bits)
    }
}
