// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.cli;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The text behind {@code -o}: {@code name=value,name,...}. A value ends at a comma; {@code \,} is a
 * comma of the value. Names may be given several times; every value is kept, in order.
 */
final class OptionText {
    private OptionText() {}

    /**
     * Takes the texts of all {@code -o} apart.
     *
     * @return each name with its values, the empty string where none was given; in order of
     *     appearance
     */
    static Map<String, List<String>> parse(List<String> texts) throws CommandFailure {
        Map<String, List<String>> options = new LinkedHashMap<>();
        for (String text : texts) {
            for (String piece : split(text)) {
                if (piece.isEmpty()) {
                    continue;
                }
                int equals = piece.indexOf('=');
                String name = equals < 0 ? piece : piece.substring(0, equals);
                if (!name.matches("[A-Za-z][A-Za-z0-9_.-]*")) {
                    throw new CommandFailure(
                            ExitCode.USAGE,
                            "cannot understand the option \""
                                    + piece
                                    + "\"; write -o name=value,name,... and \\, for a comma");
                }
                options.computeIfAbsent(name, n -> new ArrayList<>())
                        .add(equals < 0 ? "" : piece.substring(equals + 1));
            }
        }
        return options;
    }

    /** The opposite of {@link #parse}: one text that means the same. */
    static String format(Map<String, List<String>> options) {
        List<String> pieces = new ArrayList<>();
        options.forEach((name, values) -> {
            for (String value : values) {
                pieces.add(value.isEmpty() ? name : name + "=" + value.replace(",", "\\,"));
            }
        });
        return String.join(",", pieces);
    }

    private static List<String> split(String text) {
        List<String> pieces = new ArrayList<>();
        StringBuilder piece = new StringBuilder();
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '\\' && i + 1 < text.length() && text.charAt(i + 1) == ',') {
                piece.append(',');
                i++;
            } else if (c == ',') {
                pieces.add(piece.toString());
                piece.setLength(0);
            } else {
                piece.append(c);
            }
        }
        pieces.add(piece.toString());
        return pieces;
    }
}
