// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.cache.store;

import io.netfs4j.base.Disk;
import io.netfs4j.cache.Journalled;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.NoSuchFileException;
import java.util.List;
import java.util.Locale;

/**
 * The files of a store by what they are, and every call of the disk but those for pieces.
 *
 * <p><b>Threads</b>: any; waits for the disk.
 */
final class StoreFiles {
    static final String INDEX = "index";
    private static final String INDEX_BEING_WRITTEN = "index.new";
    private static final String DATA = ".data";
    private static final String MAP = ".map";
    private static final String SEGMENT = ".log";
    private static final int NUMBER_DIGITS = 16;

    private final Disk disk;

    StoreFiles(Disk disk) {
        this.disk = disk;
    }

    static String dataName(long number) {
        return String.format(Locale.ROOT, "%016x%s", number, DATA);
    }

    static String mapName(long number) {
        return String.format(Locale.ROOT, "%016x%s", number, MAP);
    }

    static String segmentName(long number) {
        return String.format(Locale.ROOT, "%016x%s", number, SEGMENT);
    }

    /** The number of the segment that a name is of; -1 when it is none. */
    static long numberOfSegment(String name) {
        return number(name, SEGMENT);
    }

    /** The number of the file whose map a name is; -1 when it is none. */
    static long numberOfMap(String name) {
        return number(name, MAP);
    }

    /** The number of the file whose data a name is; -1 when it is none. */
    static long numberOfData(String name) {
        return number(name, DATA);
    }

    private static long number(String name, String suffix) {
        if (name.length() != NUMBER_DIGITS + suffix.length() || !name.endsWith(suffix)) {
            return -1;
        }
        for (int i = 0; i < NUMBER_DIGITS; i++) {
            char c = name.charAt(i);
            if ((c < '0' || c > '9') && (c < 'a' || c > 'f')) {
                return -1;
            }
        }
        // Above the largest positive number it is not ours.
        return name.charAt(0) > '7' ? -1 : Long.parseLong(name.substring(0, NUMBER_DIGITS), 16);
    }

    List<String> list() throws IOException {
        return disk.list();
    }

    long freeBytes() throws IOException {
        return disk.freeBytes();
    }

    long totalBytes() throws IOException {
        return disk.totalBytes();
    }

    void forceNames() throws IOException {
        disk.forceNames();
    }

    Disk.File openData(long number, boolean create) throws IOException {
        return disk.open(dataName(number), create);
    }

    Disk.File openSegment(long number) throws IOException {
        return disk.open(segmentName(number), false);
    }

    long segmentBytes(long number) throws IOException {
        try (Disk.File file = openSegment(number)) {
            return file.sizeBytes();
        }
    }

    void link(Journalled journal, long inJournal, long number) throws IOException {
        journal.link(inJournal, disk, segmentName(number));
    }

    /** Removes a file; that it is not there is as good. */
    void delete(String name) throws IOException {
        try {
            disk.delete(name);
        } catch (NoSuchFileException e) {
            // Somebody was faster.
        }
    }

    void deleteMap(long number) throws IOException {
        delete(mapName(number));
    }

    void deleteData(long number) throws IOException {
        delete(dataName(number));
    }

    void writeMap(long number, ByteBuffer bytes) throws IOException {
        try (Disk.File file = disk.open(mapName(number), true)) {
            file.truncate(0);
            file.write(bytes, 0);
        }
    }

    /** What a map begins with; null when it is damaged, or of another format. */
    MapFormat.@Nullable Header readHeader(long number) throws IOException {
        try (Disk.File file = disk.open(mapName(number), false)) {
            ByteBuffer bytes = ByteBuffer.allocate(MapFormat.HEADER_BYTES_MAX);
            file.read(bytes, 0);
            MapFormat.Header header = MapFormat.header(bytes.flip());
            if (header == null || header.number() != number) {
                return null;
            }
            return file.sizeBytes() == header.mapBytes() ? header : null;
        }
    }

    /** A map that was read whole. */
    record Map(MapFormat.Header header, ContentMap content) {}

    /** Null when it is damaged, of another format, or not as long as it should be. */
    @Nullable Map readMap(long number, long bytesExpected, ContentMap.Released released)
            throws IOException {
        try (Disk.File file = disk.open(mapName(number), false)) {
            if (file.sizeBytes() != bytesExpected) {
                return null;
            }
            ByteBuffer bytes = ByteBuffer.allocate((int) bytesExpected);
            file.read(bytes, 0);
            MapFormat.Header header = MapFormat.header(bytes.flip());
            if (header == null || header.number() != number) {
                return null;
            }
            ContentMap content = MapFormat.chunks(header, bytes, released);
            return content == null ? null : new Map(header, content);
        }
    }

    /** The index; null when there is none, or it is damaged. */
    IndexFormat.@Nullable Index readIndex(long bytesMax) throws IOException {
        try (Disk.File file = disk.open(INDEX, false)) {
            long size = file.sizeBytes();
            if (size > bytesMax) {
                return null;
            }
            ByteBuffer bytes = ByteBuffer.allocate((int) size);
            file.read(bytes, 0);
            return IndexFormat.decode(bytes.flip());
        } catch (NoSuchFileException e) {
            return null;
        }
    }

    /** From now on the next mount takes this one for one that has died. */
    void removeIndex() throws IOException {
        delete(INDEX);
        delete(INDEX_BEING_WRITTEN);
        disk.forceNames();
    }

    /**
     * Everything else is done. Forced, so that no loss of power leaves the index and takes what was
     * done before it.
     */
    void writeIndex(ByteBuffer bytes) throws IOException {
        disk.forceNames();
        try (Disk.File file = disk.open(INDEX_BEING_WRITTEN, true)) {
            file.truncate(0);
            file.write(bytes, 0);
            file.force();
        }
        disk.rename(INDEX_BEING_WRITTEN, INDEX);
        disk.forceNames();
    }
}
