import { useEffect, useState } from 'react'

/** How wide an element is, as the window changes. Put `ref` on it; before it is there, the width of the window. */
export function useWidth() {
  const [element, ref] = useState<HTMLElement | null>(null)
  const [width, setWidth] = useState(window.innerWidth)
  useEffect(() => {
    if (element === null) return
    const observer = new ResizeObserver(() => setWidth(element.clientWidth))
    observer.observe(element)
    return () => observer.disconnect()
  }, [element])
  return { ref, width }
}
