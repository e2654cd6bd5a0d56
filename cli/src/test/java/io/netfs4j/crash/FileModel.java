// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.crash;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * What a file holds by what was acknowledged: the number of the last write of each cell. Also what
 * of that was promised to survive a loss of power, and what has been changed since: of that any
 * part may be there afterwards.
 */
final class FileModel {
    final int id;
    private int[] cells = new int[64];
    private int count;

    /** As it was when that was promised. */
    private int[] promised = new int[0];

    /** How short and how long it has been since, in cells. */
    private int least;

    private int most;

    private final List<Change> since = new ArrayList<>();

    /** Whether its name is there after a loss of power, too. */
    private boolean named;

    /** Cells that were written after the promise. */
    private record Change(int from, int end, int sequence) {}

    FileModel(int id) {
        this.id = id;
    }

    FileModel copy() {
        FileModel copy = new FileModel(id);
        copy.cells = cells.clone();
        copy.count = count;
        copy.promised = promised; // Never changed, only replaced.
        copy.least = least;
        copy.most = most;
        copy.since.addAll(since);
        copy.named = named;
        return copy;
    }

    /** How long it is, in cells. */
    int count() {
        return count;
    }

    long bytes() {
        return (long) count * Stamp.CELL_BYTES;
    }

    /** The last write of a cell; 0 where it is zeros, or behind the end. */
    int sequence(int cell) {
        return cell < count ? cells[cell] : 0;
    }

    void write(int from, int length, int sequence) {
        resize(Math.max(count, from + length));
        Arrays.fill(cells, from, from + length, sequence);
        Change last = since.isEmpty() ? null : since.getLast();
        if (last != null && last.sequence == sequence && last.end == from) {
            since.removeLast();
            since.add(new Change(last.from, from + length, sequence));
        } else {
            since.add(new Change(from, from + length, sequence));
        }
    }

    void resize(int to) {
        if (to > cells.length) {
            cells = Arrays.copyOf(cells, Math.max(to, 2 * cells.length));
        }
        if (to < count) {
            Arrays.fill(cells, to, count, 0);
        }
        count = to;
        least = Math.min(least, to);
        most = Math.max(most, to);
    }

    // ---- after a loss of power ----------------------------------------------------------------

    /** It survives a loss of power as it is now, with its name. */
    void promise() {
        promised = Arrays.copyOf(cells, count);
        least = count;
        most = count;
        since.clear();
        named = true;
    }

    /** Its name survives a loss of power. */
    void promiseName() {
        named = true;
    }

    boolean isNamed() {
        return named;
    }

    /** How short it may be after a loss of power, in cells. */
    int least() {
        return least;
    }

    /** How long it may be then. */
    int most() {
        return most;
    }

    /** Whether a cell may hold that write after a loss of power. */
    boolean mayHold(int cell, int sequence) {
        if (sequence == 0 && cell >= least) {
            return true;
        }
        return promisedSequence(cell) == sequence
                || since.stream()
                        .anyMatch(change ->
                                change.sequence == sequence
                                        && cell >= change.from
                                        && cell < change.end);
    }

    /** What a cell held when that was promised; 0 where it is zeros, or behind the end. */
    int promisedSequence(int cell) {
        return cell < promised.length ? promised[cell] : 0;
    }

    int promisedCount() {
        return promised.length;
    }
}
