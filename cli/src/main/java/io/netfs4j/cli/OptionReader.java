// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.cli;

import org.jspecify.annotations.Nullable;

import java.util.List;
import java.util.Map;

/** The values of options as flags, numbers and times; the last of several counts. */
final class OptionReader {
    private static final double NANOS_A_SECOND = 1e9;

    /** A year: longer waits are meant to be endless, and said otherwise. */
    private static final double SECONDS_MAX = 366 * 86_400.0;

    private final Map<String, List<String>> options;

    OptionReader(Map<String, List<String>> options) {
        this.options = options;
    }

    @Nullable String text(String name) {
        List<String> values = options.get(name);
        return values == null ? null : values.getLast();
    }

    /** Whether a flag was given: without a value, or with one that says yes. */
    boolean flag(String name) throws CommandFailure {
        String value = text(name);
        if (value == null) {
            return false;
        }
        return switch (value) {
            case "", "yes", "true", "1" -> true;
            case "no", "false", "0" -> false;
            default -> throw wrong(name, value, "it is a flag; leave the value out, or write no");
        };
    }

    /** A number of 32 bits without sign, as user and group numbers are. */
    @Nullable Integer id(String name) throws CommandFailure {
        Long number = number(name, 10, 0xFFFF_FFFEL, "a number; id -u and id -g tell yours");
        return number == null ? null : number.intValue();
    }

    /** Permission bits in octal. */
    @Nullable Integer octal(String name) throws CommandFailure {
        Long number = number(name, 8, 0777, "permission bits in octal, 000 to 777");
        return number == null ? null : number.intValue();
    }

    /** A time in seconds, with or without a fraction. */
    @Nullable Long nanos(String name) throws CommandFailure {
        String value = text(name);
        if (value == null) {
            return null;
        }
        if (value.matches("[0-9]{1,9}(\\.[0-9]{1,9})?")) {
            double seconds = Double.parseDouble(value);
            if (seconds <= SECONDS_MAX) {
                return Math.round(seconds * NANOS_A_SECOND);
            }
        }
        throw wrong(name, value, "a time in seconds, such as 5 or 0.5");
    }

    private @Nullable Long number(String name, int radix, long most, String form)
            throws CommandFailure {
        String value = text(name);
        if (value == null) {
            return null;
        }
        try {
            long number = value.startsWith("+") ? -1 : Long.parseLong(value, radix);
            if (number >= 0 && number <= most) {
                return number;
            }
        } catch (NumberFormatException e) {
            throw wrong(name, value, form);
        }
        throw wrong(name, value, form);
    }

    static CommandFailure wrong(String name, String value, String form) {
        return new CommandFailure(
                ExitCode.USAGE,
                "option " + name + (value.isEmpty() ? "" : "=" + value) + ": " + form);
    }
}
