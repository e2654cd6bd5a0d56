// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.bench.engine;

/**
 * One line of the report.
 *
 * @param key its name for machines
 * @param text what it is, for people
 * @param aim what it should be, as text; empty where it is only told
 */
record Figure(String key, String text, double value, String unit, String aim) {
    String line() {
        return String.format("%-58s %12s %-12s %s", text, number(), unit, aim).stripTrailing();
    }

    String json() {
        return String.format("  \"%s\": %s", key, number());
    }

    /** Three digits that count; whole numbers above. */
    private String number() {
        double magnitude = Math.abs(value);
        int decimals = magnitude >= 100 ? 0 : magnitude >= 10 ? 1 : magnitude >= 1 ? 2 : 3;
        return String.format("%." + decimals + "f", value);
    }
}
