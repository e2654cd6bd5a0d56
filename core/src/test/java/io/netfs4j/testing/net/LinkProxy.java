// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.testing.net;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;

/**
 * A TCP link on the loopback address with a delay, a rate and faults on command. Up is towards the
 * server. Needs nothing but the JDK, so that it also runs as a program from its source: see {@link
 * #main}.
 *
 * <p><b>Threads</b>: any may give commands; each connection has four threads of its own.
 */
public final class LinkProxy implements AutoCloseable {
    private static final int CHUNK_BYTES = 64 * 1024;

    /** Bytes that may be on the wire in one direction of a connection: 100 MB/s times 160 ms. */
    private static final int WIRE_BYTES_MAX = 16 << 20;

    /** The queue before a link with a rate: what comes faster waits with its sender. */
    private static final long QUEUE_NANOS_MAX = 10_000_000;

    /** Sleeping is not finer than this; what is due sooner goes at once. */
    private static final long SLEEP_NANOS_MIN = 50_000;

    private final ServerSocket listener;
    private final int targetPort;
    private final Set<Connection> connections = ConcurrentHashMap.newKeySet();
    private final Direction up = new Direction();
    private final Direction down = new Direction();
    private final AtomicLong accepted = new AtomicLong();
    private final AtomicLong resets = new AtomicLong();
    private volatile long delayNanos;
    private volatile boolean refuses;

    /** One way of the link, shared by all connections. */
    private static final class Direction {
        private final ReentrantLock lock = new ReentrantLock();
        private final Condition changed = lock.newCondition();
        private final AtomicLong bytes = new AtomicLong();
        private long bytesPerSecond;
        private long freeAtNanos;
        private boolean stalled;
        private long resetAfterBytes = -1;

        /** When a chunk has left the sender's end of the link. */
        long leavesAt(int count) {
            lock.lock();
            try {
                long now = System.nanoTime();
                if (bytesPerSecond == 0) {
                    return now;
                }
                if (freeAtNanos - now < 0) {
                    freeAtNanos = now;
                }
                freeAtNanos += count * 1_000_000_000L / bytesPerSecond;
                return freeAtNanos;
            } finally {
                lock.unlock();
            }
        }

        void rate(long perSecond) {
            lock.lock();
            try {
                bytesPerSecond = perSecond;
                freeAtNanos = System.nanoTime();
            } finally {
                lock.unlock();
            }
        }

        void stalled(boolean now) {
            lock.lock();
            try {
                stalled = now;
                changed.signalAll();
            } finally {
                lock.unlock();
            }
        }

        void awaitMoving() {
            lock.lock();
            try {
                while (stalled) {
                    changed.awaitUninterruptibly();
                }
            } finally {
                lock.unlock();
            }
        }

        void resetAfter(long count) {
            lock.lock();
            try {
                resetAfterBytes = count;
            } finally {
                lock.unlock();
            }
        }

        /**
         * Whether the connection that carries these bytes is to be reset, and how many still go.
         */
        int passes(int count) {
            lock.lock();
            try {
                if (resetAfterBytes < 0) {
                    return count;
                }
                int passing = (int) Math.min(count, resetAfterBytes);
                resetAfterBytes = passing < count ? -1 : resetAfterBytes - count;
                return passing;
            } finally {
                lock.unlock();
            }
        }
    }

    private record Chunk(byte[] bytes, int length, long dueNanos) {}

    /** A client's connection and the one we made for it. */
    private final class Connection {
        private final Socket client;
        private final Socket server;

        Connection(Socket client, Socket server) {
            this.client = client;
            this.server = server;
        }

        void start() {
            new Wire(this, client, server, up).start();
            new Wire(this, server, client, down).start();
        }

        void end(boolean reset) {
            connections.remove(this);
            for (Socket socket : new Socket[] {client, server}) {
                try {
                    if (reset) {
                        socket.setSoLinger(true, 0);
                    }
                } catch (SocketException e) {
                    // It is closed already.
                }
                closeQuietly(socket);
            }
        }
    }

    /** One direction of one connection: reads, holds for as long as the link takes, writes. */
    private final class Wire {
        private final Connection connection;
        private final Socket from;
        private final Socket to;
        private final Direction direction;
        private final ReentrantLock lock = new ReentrantLock();
        private final Condition changed = lock.newCondition();
        private final ArrayDeque<Chunk> chunks = new ArrayDeque<>();
        private long held;
        private boolean ended;

        Wire(Connection connection, Socket from, Socket to, Direction direction) {
            this.connection = connection;
            this.from = from;
            this.to = to;
            this.direction = direction;
        }

        void start() {
            thread("link-in", this::read);
            thread("link-out", this::write);
        }

        private void read() {
            try (InputStream in = from.getInputStream()) {
                while (true) {
                    byte[] bytes = new byte[CHUNK_BYTES];
                    int n = in.read(bytes);
                    if (n < 0) {
                        return;
                    }
                    direction.awaitMoving();
                    int passing = direction.passes(n);
                    if (passing > 0) {
                        long leavesAt = direction.leavesAt(passing);
                        put(new Chunk(bytes, passing, leavesAt + delayNanos));
                        long queued = leavesAt - QUEUE_NANOS_MAX - System.nanoTime();
                        if (queued > SLEEP_NANOS_MIN) {
                            LockSupport.parkNanos(queued);
                        }
                    }
                    if (passing < n) {
                        resets.incrementAndGet();
                        connection.end(true);
                        return;
                    }
                }
            } catch (IOException e) {
                connection.end(false);
            } finally {
                finish();
            }
        }

        private void put(Chunk chunk) {
            lock.lock();
            try {
                while (held > WIRE_BYTES_MAX && !ended) {
                    changed.awaitUninterruptibly();
                }
                chunks.add(chunk);
                held += chunk.length;
                changed.signalAll();
            } finally {
                lock.unlock();
            }
        }

        private void finish() {
            lock.lock();
            try {
                ended = true;
                changed.signalAll();
            } finally {
                lock.unlock();
            }
        }

        private void write() {
            try (OutputStream out = to.getOutputStream()) {
                for (Chunk chunk = take(); chunk != null; chunk = take()) {
                    long left = chunk.dueNanos - System.nanoTime();
                    while (left > SLEEP_NANOS_MIN) {
                        LockSupport.parkNanos(left);
                        left = chunk.dueNanos - System.nanoTime();
                    }
                    direction.awaitMoving();
                    out.write(chunk.bytes, 0, chunk.length);
                    direction.bytes.addAndGet(chunk.length);
                }
            } catch (IOException e) {
                connection.end(false);
            } finally {
                finish();
            }
        }

        private Chunk take() {
            lock.lock();
            try {
                while (chunks.isEmpty() && !ended) {
                    changed.awaitUninterruptibly();
                }
                Chunk chunk = chunks.poll();
                if (chunk != null) {
                    held -= chunk.length;
                    changed.signalAll();
                }
                return chunk;
            } finally {
                lock.unlock();
            }
        }
    }

    private LinkProxy(int port, int targetPort) throws IOException {
        this.targetPort = targetPort;
        this.listener = new ServerSocket();
        listener.setReuseAddress(true);
        listener.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
        thread("link-accept", this::accept);
    }

    /** A link on a free port to a port of the loopback address. */
    public static LinkProxy start(int targetPort) throws IOException {
        return start(0, targetPort);
    }

    /** The same on a given port; 0 for a free one. */
    public static LinkProxy start(int port, int targetPort) throws IOException {
        return new LinkProxy(port, targetPort);
    }

    private static void thread(String name, Runnable task) {
        Thread thread = new Thread(task, name);
        thread.setDaemon(true);
        thread.start();
    }

    private static void closeQuietly(Socket socket) {
        try {
            socket.close();
        } catch (IOException e) {
            // Nothing is left to lose.
        }
    }

    private void accept() {
        while (!listener.isClosed()) {
            try {
                Socket client = listener.accept();
                accepted.incrementAndGet();
                if (refuses) {
                    client.setSoLinger(true, 0);
                    client.close();
                    continue;
                }
                thread("link-connect", () -> connect(client));
            } catch (IOException e) {
                // Closed, or a client that went away at once.
            }
        }
    }

    private void connect(Socket client) {
        // A handshake costs a round trip of the link.
        LockSupport.parkNanos(2 * delayNanos);
        Socket server = new Socket();
        try {
            server.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), targetPort));
            server.setTcpNoDelay(true);
            client.setTcpNoDelay(true);
            Connection connection = new Connection(client, server);
            connections.add(connection);
            connection.start();
        } catch (IOException e) {
            closeQuietly(client);
            closeQuietly(server);
        }
    }

    public int port() {
        return listener.getLocalPort();
    }

    /** One way; both ways have it. */
    public void delayMillis(long millis) {
        delayNanos = millis * 1_000_000;
    }

    /** Of each direction; 0 for none. */
    public void rate(long bytesPerSecond) {
        up.rate(bytesPerSecond);
        down.rate(bytesPerSecond);
    }

    /** Resets every connection that is open now. */
    public void reset() {
        List<Connection> all = new ArrayList<>(connections);
        resets.addAndGet(all.size());
        all.forEach(c -> c.end(true));
    }

    /** Resets the connection that carries the byte after these many more towards the server. */
    public void resetAfterBytesUp(long bytes) {
        up.resetAfter(bytes);
    }

    /** The same from the server. */
    public void resetAfterBytesDown(long bytes) {
        down.resetAfter(bytes);
    }

    /** Stops moving bytes, or goes on. Connections stay open. */
    public void stall(boolean stalled) {
        up.stalled(stalled);
        down.stalled(stalled);
    }

    /** Refuses new connections, or takes them again. */
    public void refuse(boolean refuse) {
        refuses = refuse;
    }

    public long bytesUp() {
        return up.bytes.get();
    }

    public long bytesDown() {
        return down.bytes.get();
    }

    public long connectionsAccepted() {
        return accepted.get();
    }

    public long connectionsReset() {
        return resets.get();
    }

    @Override
    public void close() throws IOException {
        listener.close();
        stall(false);
        reset();
    }

    private static long number(String text) {
        char unit = Character.toLowerCase(text.charAt(text.length() - 1));
        int shift = unit == 'k' ? 10 : unit == 'm' ? 20 : unit == 'g' ? 30 : 0;
        String digits = shift == 0 ? text : text.substring(0, text.length() - 1);
        return (long) (Double.parseDouble(digits) * (1L << shift));
    }

    /** Obeys one command and answers one line. */
    private String command(String line) {
        String[] words = line.strip().split("\\s+");
        String value = words.length > 1 ? words[1] : "0";
        switch (words[0]) {
            case "delay" -> delayMillis(Long.parseLong(value));
            case "rate" -> rate(number(value));
            case "reset" -> reset();
            case "reset-after" -> {
                if (words.length > 2 && words[2].equals("down")) {
                    resetAfterBytesDown(number(value));
                } else {
                    resetAfterBytesUp(number(value));
                }
            }
            case "stall" -> stall(true);
            case "resume" -> stall(false);
            case "refuse" -> refuse(true);
            case "accept" -> refuse(false);
            case "zero" -> {
                up.bytes.set(0);
                down.bytes.set(0);
            }
            case "stats" -> {
                return String.format(
                        Locale.ROOT,
                        "{\"up\":%d,\"down\":%d,\"open\":%d,\"accepted\":%d,\"reset\":%d}",
                        bytesUp(),
                        bytesDown(),
                        connections.size(),
                        accepted.get(),
                        resets.get());
            }
            default -> {
                return "unknown command";
            }
        }
        return "ok";
    }

    private void control(ServerSocket control) throws IOException {
        while (true) {
            try (Socket client = control.accept();
                    BufferedReader in =
                            new BufferedReader(
                                    new InputStreamReader(
                                            client.getInputStream(), StandardCharsets.US_ASCII))) {
                for (String line = in.readLine(); line != null; line = in.readLine()) {
                    String answer;
                    try {
                        answer = command(line);
                    } catch (IllegalArgumentException e) {
                        answer = "bad value";
                    }
                    client.getOutputStream()
                            .write((answer + "\n").getBytes(StandardCharsets.US_ASCII));
                }
            } catch (SocketException e) {
                // The one who gave commands went away.
            }
        }
    }

    /**
     * {@code PORT TARGET_PORT CONTROL_PORT [DELAY_MILLIS [RATE]]}: a link until it is killed. Takes
     * commands by line on the control port: {@code delay MS}, {@code rate N[kmg]}, {@code reset},
     * {@code reset-after N[kmg] [up|down]}, {@code stall}, {@code resume}, {@code refuse}, {@code
     * accept}, {@code stats}, {@code zero}.
     */
    public static void main(String[] arguments) throws IOException {
        LinkProxy link = start(Integer.parseInt(arguments[0]), Integer.parseInt(arguments[1]));
        if (arguments.length > 3) {
            link.delayMillis(Long.parseLong(arguments[3]));
        }
        if (arguments.length > 4) {
            link.rate(number(arguments[4]));
        }
        try (ServerSocket control =
                new ServerSocket(
                        Integer.parseInt(arguments[2]), 8, InetAddress.getLoopbackAddress())) {
            link.control(control);
        }
    }
}
