// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.sftp.ssh;

import java.util.List;
import java.util.Locale;

/**
 * The patterns of ssh_config(5) and of known_hosts: {@code *} stands for any run of characters,
 * {@code ?} for one, a list matches when one of its patterns does and no pattern after {@code !}.
 */
final class HostPattern {
    private HostPattern() {}

    /** Whether a list of patterns matches a host name, without regard to case. */
    static boolean listMatches(List<String> patterns, String host) {
        boolean matched = false;
        for (String pattern : patterns) {
            boolean negated = pattern.startsWith("!");
            if (matches(negated ? pattern.substring(1) : pattern, host)) {
                if (negated) {
                    return false;
                }
                matched = true;
            }
        }
        return matched;
    }

    /** Whether one pattern matches. Linear in space; never exponential in time. */
    static boolean matches(String pattern, String text) {
        String p = pattern.toLowerCase(Locale.ROOT);
        String t = text.toLowerCase(Locale.ROOT);
        int at = 0;
        int in = 0;
        int starAt = -1;
        int starIn = 0;
        while (in < t.length()) {
            if (at < p.length() && p.charAt(at) == '*') {
                starAt = at++;
                starIn = in;
            } else if (at < p.length() && (p.charAt(at) == '?' || p.charAt(at) == t.charAt(in))) {
                at++;
                in++;
            } else if (starAt >= 0) {
                at = starAt + 1;
                in = ++starIn;
            } else {
                return false;
            }
        }
        while (at < p.length() && p.charAt(at) == '*') {
            at++;
        }
        return at == p.length();
    }
}
