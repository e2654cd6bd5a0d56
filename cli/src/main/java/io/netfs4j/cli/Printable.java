// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.cli;

/**
 * Text that others word, names of files and answers of servers, as it is shown to people: nothing
 * of it may move the cursor or start a line, and what would is shown as an escape.
 *
 * <p>A backslash stays as it is, so that showing twice changes nothing; who needs names exactly
 * reads the JSON.
 */
final class Printable {
    private Printable() {}

    static String of(String text) {
        StringBuilder line = new StringBuilder(text.length());
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            switch (c) {
                case '\n' -> line.append("\\n");
                case '\r' -> line.append("\\r");
                case '\t' -> line.append("\\t");
                default -> {
                    if (Character.isISOControl(c) || c == '\u2028' || c == '\u2029') {
                        line.append("\\u%04x".formatted((int) c));
                    } else {
                        line.append(c);
                    }
                }
            }
        }
        return line.toString();
    }
}
